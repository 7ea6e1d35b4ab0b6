import { Agent, getGlobalDispatcher, setGlobalDispatcher } from 'undici';
import { metricsOf } from '../../support/metrics.js';
import { inspectable, LiveMemory, type Held } from '../../support/live-memory.js';
import { Person } from '../../support/person.js';
import { startPostgres, startRedis } from '../../support/stores.js';
import { startSystem, type System } from '../../support/system.js';
import { continuing, startUpstream } from '../../support/upstream.js';
import { eventually } from '../stage.js';

interface SoakOptions {
  /** Told before every round of measurements how many there have been. */
  isEnough: (rounds: number) => boolean;
  generationsPerRound: number;
  /** Rounds in which caches and pools fill and code is compiled, before anything is measured. */
  warmUpRounds: number;
  /** Called after every round. */
  say?: (line: string) => void;
}

const roles = ['api', 'worker'] as const;
type Role = (typeof roles)[number];

export interface SoakReport {
  rounds: number;
  generationsPerRound: number;
  /** What a round has left in the process, by the median round; below 0: less is held. */
  leftByRound: Record<Role, Held>;
}

/** What comes and goes by itself: a few connections and timers, and code that the optimiser makes and drops. */
const noise: Held = { objects: 200, bytes: 400_000 };

/** Whether it cannot be told from the noise that each generation has left something. */
export function isFlat({ generationsPerRound, leftByRound }: SoakReport): boolean {
  return roles.every(
    (role) =>
      leftByRound[role].objects < noise.objects + generationsPerRound / 2 &&
      leftByRound[role].bytes < noise.bytes + generationsPerRound * 100,
  );
}

/** During the warm-up, so that all pools are as large then as they become. */
const mostAskers = 12;
const askers = 8;
/** After so many answers somebody turns to a new conversation. */
const answersEach = 20;

/**
 * Keeps a system busy with people who ask, come and go, in every way there is to watch an answer; round by round, and
 * measures what its processes hold between two rounds, when nobody is there.
 */
export async function runSoak({
  isEnough,
  generationsPerRound,
  warmUpRounds,
  say = () => undefined,
}: SoakOptions): Promise<SoakReport> {
  const closers: (() => Promise<unknown>)[] = [];
  try {
    const upstream = await startUpstream();
    closers.unshift(() => upstream.close());
    upstream.answerWith(continuing('word '.repeat(60).trimEnd(), 40), { delayMs: 1 });
    const redis = await startRedis();
    closers.unshift(() => redis.dispose());
    const postgres = await startPostgres();
    closers.unshift(() => postgres.dispose());
    const env = { LOG_LEVEL: 'warn', ...inspectable };
    const system = await startSystem({ upstream, env, redisUrl: redis.url, databaseUrl: postgres.url });
    closers.unshift(() => system.stop());
    const memory = {
      api: await LiveMemory.of(system.api()),
      worker: await LiveMemory.of(system.worker()),
    };
    const ada = await Person.signIn(system.api(), 'Ada');

    let generations = 0;
    const doRound = async (atOnce: number) => {
      let left = generationsPerRound;
      const live = async () => {
        for (let i = 0, id = ''; left > 0; i += 1) {
          left -= 1;
          if (i % answersEach === 0) id = await ada.converse();
          await askAndWatch(ada, id);
          generations += 1;
        }
      };
      await Promise.all(Array.from({ length: atOnce }, live));
      await hangUp();
      await atRest(system);
    };
    const samples: Record<Role, Held[]> = { api: [], worker: [] };
    const measure = async () => {
      for (const role of roles) samples[role].push(await memory[role].measure());
      const figures = roles.map((role) => `${role} holds ${inWords(samples[role].at(-1))}`);
      say(`${generations} generations: ${figures.join(', ')}`);
    };
    for (let round = 0; round < warmUpRounds; round += 1) await doRound(mostAskers);
    await measure();
    for (let round = 0; !isEnough(round); round += 1) {
      await doRound(askers);
      await measure();
    }
    for (const role of roles) memory[role].close();
    return {
      rounds: samples.api.length - 1,
      generationsPerRound,
      leftByRound: { api: growthOf(samples.api), worker: growthOf(samples.worker) },
    };
  } finally {
    for (const close of closers) await close();
  }
}

/** One question, and everybody who can wait for its answer: sockets, event streams, and who asked. */
async function askAndWatch(person: Person, conversationId: string): Promise<void> {
  const clients = [
    person.socket(conversationId),
    person.socket(conversationId, ['polling']),
    person.eventStream(conversationId),
  ];
  try {
    await Promise.all(clients.map((client) => client.connect()));
    const path = `/v1/conversations/${conversationId}/messages`;
    const body = { content: 'Say something.' };
    const headers = { prefer: 'wait=50' };
    const answer = await person.call<{ generation: { id: string } }>('POST', path, body, { headers });
    if (answer.status !== 200) throw new Error(`asking was answered with ${answer.status}`);
    const { id } = answer.body.generation;
    await Promise.all(clients.map((client) => client.ended(id)));
    await person.ended(id);
  } finally {
    for (const client of clients) client.drop();
  }
}

/**
 * Closes the connections that `fetch` keeps for its next call: as many as were busy at once in a round, by chance, and
 * each costs the api some 25 objects until it times out.
 */
async function hangUp(): Promise<void> {
  const used = getGlobalDispatcher();
  setGlobalDispatcher(new Agent());
  await used.close();
}

const ofClients = [
  'tokencast_sockets',
  'tokencast_event_streams',
  'tokencast_watchers',
  'tokencast_present',
  'tokencast_subscriptions',
];

/** Resolves when the api has let go of everybody, and the worker of all jobs. */
async function atRest(system: System): Promise<void> {
  const areZero = async (process: { url: string }, names: readonly string[]) => {
    const metrics = await metricsOf(process);
    return names.every((name) => metrics.get(name) === 0);
  };
  await eventually(() => areZero(system.api(), ofClients));
  await eventually(() => areZero(system.worker(), ['tokencast_generations_running']));
}

/** By the median round: a step, such as a pool that gets one more connection, is in one of them, a leak in all. */
function growthOf(samples: readonly Held[]): Held {
  const median = (measure: keyof Held) => {
    const growth = samples.slice(1).map((sample, i) => sample[measure] - (samples[i]?.[measure] ?? 0));
    return growth.sort((a, b) => a - b)[Math.floor(growth.length / 2)] ?? NaN;
  };
  return { objects: median('objects'), bytes: median('bytes') };
}

const inWords = ({ objects, bytes }: Held = { objects: NaN, bytes: NaN }) =>
  `${objects} objects (${(bytes / 1e6).toFixed(2)} MB)`;
