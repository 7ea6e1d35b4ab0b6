import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasEnded, type Generation } from '../../../src/domain/generation.js';
import type { Message } from '../../../src/domain/conversation.js';
import type { SocketClient, SseClient } from '../../support/clients.js';
import { keepWatching } from '../../support/keep-watching.js';
import { Person } from '../../support/person.js';
import { openRoughProxy } from '../../support/rough-proxy.js';
import { startPostgres, startRedis } from '../../support/stores.js';
import { startSystem } from '../../support/system.js';
import { continuing, startUpstream, type UpstreamBody } from '../../support/upstream.js';
import { checkHistories } from '../checker/check-history.js';
import {
  historyOf,
  isTerminal,
  type ClientHistory,
  type ExpectedAnswer,
  type Violation,
} from '../checker/history.js';
import { faults, type Victims } from './faults.js';
import { seeded } from './random.js';

interface ChaosOptions {
  seed: number;
  durationMs: number;
  /** Told what happens as it happens. */
  say?: (line: string) => void;
}

export interface ChaosReport {
  violations: Violation[];
  /** What happened, in its order. */
  faults: string[];
  /** How many generations ended in each way. */
  ends: Record<string, number>;
  events: number;
}

const conversations = 3;
const betweenFaultsMs = 3000;
/** After the last fault everything has to be in order within this time. */
const settleMs = 90_000;
const words = 250;

/** What the model answers to the nth question. */
const answerTo = (n: string) =>
  Array.from({ length: words }, (_, i) => `${n}.${i}${i % 20 === 19 ? '\n' : ' '}`)
    .join('')
    .trimEnd();

/** The question comes last, unless an answer is to be gone on from. */
function answerOf(body: UpstreamBody) {
  const asked = JSON.stringify(body.messages.findLast(({ role }) => role === 'user')?.content);
  const n = /question (\d+)/.exec(asked)?.[1] ?? '0';
  return continuing(answerTo(n), 24)(body);
}

/**
 * Runs a real system with two processes of each role under faults that a seed decides, people who ask and people who
 * watch; then lets it settle and checks what everybody saw, and what was stored.
 */
export async function runChaos({
  seed,
  durationMs,
  say = () => undefined,
}: ChaosOptions): Promise<ChaosReport> {
  const random = seeded(seed);
  const closers: (() => Promise<unknown> | undefined)[] = [];
  const opened = <T>(thing: T, close: (thing: T) => Promise<unknown> | undefined): T => {
    closers.unshift(() => close(thing));
    return thing;
  };
  try {
    const upstream = opened(await startUpstream(), (it) => it.close());
    upstream.answerWith(answerOf, { delayMs: 15 });
    const redis = opened(await startRedis(), (it) => it.dispose());
    const postgres = opened(await startPostgres(), (it) => it.dispose());
    const stores = { redisUrl: redis.url, databaseUrl: postgres.url };
    const env = { SHUTDOWN_GRACE_MS: '1500', LOG_LEVEL: 'warn' };
    const options = { ...stores, upstream, env, apis: 2, workers: 2 };
    const system = opened(await startSystem(options), (it) => it.stop());
    const proxies = await Promise.all(system.apis.map(({ url }) => openRoughProxy(url)));
    for (const proxy of proxies) opened(proxy, (it) => it.close());
    const ada = await Person.signIn(system.api(), 'Ada');
    const people = system.apis.map((api) => ada.via(api));

    const stop = new AbortController();
    setMaxListeners(0, stop.signal);
    const over = AbortSignal.timeout(durationMs);
    const rooms = await Promise.all(
      Array.from({ length: conversations }, async () => {
        const id = await ada.converse();
        const clients: (SocketClient | SseClient)[] = proxies.flatMap((proxy) => [
          ada.via(proxy).socket(id),
          ada.via(proxy).socket(id, ['polling', 'websocket']),
          ada.via(proxy).eventStream(id),
        ]);
        return { id, clients, asked: [] as string[] };
      }),
    );
    const watching = rooms.flatMap(({ clients }) =>
      clients.map((client) => keepWatching(client, stop.signal)),
    );
    closers.unshift(() => {
      stop.abort();
      return Promise.all(watching);
    });
    const expected = new Map<string, ExpectedAnswer>();
    let question = 0;
    const talk = async ({ id, asked }: (typeof rooms)[number]) => {
      while (!over.aborted) {
        const n = String((question += 1));
        const generation = await ask(people, id, `question ${n}`);
        asked.push(generation.id);
        expected.set(generation.id, { text: answerTo(n), mayEndEarly: true });
        await ended(people, generation.id);
      }
    };

    const done: string[] = [];
    const harm = async (victims: Victims) => {
      const names = Object.keys(faults);
      while (!over.aborted) {
        await sleep(random() * betweenFaultsMs);
        const name = names[Math.floor(random() * names.length)] ?? '';
        say(name);
        done.push(name);
        await faults[name]?.(victims, random);
      }
    };
    const talking = rooms.map(talk);
    await harm({ system, redis, postgres, proxies });
    say('no more faults: all has to come in order');
    await within(settleMs, Promise.all(talking), 'an answer has no end');
    const seen = rooms.flatMap(({ clients, asked }) =>
      clients.map((client) => client.until(() => hasSettled(client, asked.at(-1)))),
    );
    await within(settleMs, Promise.all(seen), 'a client does not come to the end');
    stop.abort();

    const histories = rooms.flatMap(({ id, clients }) =>
      clients.map((client, i) => historyOf(`${id} ${i}`, id, client)),
    );
    const violations = checkHistories(histories, expected);
    const ends: Record<string, number> = {};
    for (const { id, asked } of rooms) {
      violations.push(...(await checkStored(ada, id, asked, { expected, told: endsOf(histories) })));
      for (const generationId of asked) {
        const { status, error } = await ada.http.getGeneration(generationId);
        const end = error ? `${status}: ${error.code}` : status;
        ends[end] = (ends[end] ?? 0) + 1;
      }
    }
    return {
      violations,
      faults: done,
      ends,
      events: histories.reduce((sum, { events }) => sum + events.length, 0),
    };
  } finally {
    for (const close of closers) await close();
  }
}

/** Asks once, whatever it takes: by whichever api answers, under one key. */
async function ask(people: readonly Person[], id: string, content: string): Promise<Generation> {
  const headers = { 'idempotency-key': randomUUID() };
  return persist(people, async (person) => {
    const path = `/v1/conversations/${id}/messages`;
    const { status, body } = await person.call<{ generation: Generation }>(
      'POST',
      path,
      { content },
      { headers },
    );
    return status === 202 ? body.generation : undefined;
  });
}

async function ended(people: readonly Person[], id: string): Promise<Generation> {
  return persist(people, async (person) => {
    const { status, body } = await person.call<Generation>('GET', `/v1/generations/${id}`);
    return status === 200 && hasEnded(body.status) ? body : undefined;
  });
}

async function persist<T>(
  people: readonly Person[],
  action: (person: Person) => Promise<T | undefined>,
): Promise<T> {
  for (let i = 0; ; i += 1) {
    const person = people[i % people.length];
    const result = person && (await action(person).catch(() => undefined));
    if (result !== undefined) return result;
    await sleep(200);
  }
}

/** It shows the last answer, and none that is being written. */
function hasSettled({ state }: SocketClient | SseClient, last: string | undefined): boolean {
  if (!state || last === undefined) return last === undefined;
  const isThere = state.ended.has(last) || state.messages.some(({ generationId }) => generationId === last);
  return isThere && state.generations.length === 0;
}

/** The text that each generation ended with, as clients were told it. */
function endsOf(histories: readonly ClientHistory[]): Map<string, string> {
  const ends = new Map<string, string>();
  for (const { events } of histories)
    for (const event of events)
      if (isTerminal(event)) ends.set(event.generationId, event.message?.text ?? '');
  return ends;
}

/**
 * Each answer is stored once, and is what was sent: all of it, or a beginning of it where it was given up. It is what
 * clients were told at its end.
 */
async function checkStored(
  person: Person,
  conversationId: string,
  asked: readonly string[],
  { expected, told }: { expected: ReadonlyMap<string, ExpectedAnswer>; told: ReadonlyMap<string, string> },
): Promise<Violation[]> {
  const stored: Message[] = [];
  for (let before = ''; ;) {
    const path = `/v1/conversations/${conversationId}/messages?limit=200${before && `&before=${before}`}`;
    const { body } = await person.call<{ items: Message[]; nextBefore: string | null }>('GET', path);
    stored.push(...body.items);
    if (body.nextBefore === null) break;
    before = body.nextBefore;
  }
  const violations: Violation[] = [];
  for (const id of asked) {
    const answers = stored.filter(({ generationId, role }) => generationId === id && role === 'assistant');
    const sent = expected.get(id)?.text ?? '';
    const { text, status } = answers[0] ?? { text: '', status: 'partial' };
    const isWhole = status === 'complete' ? text === sent : sent.startsWith(text);
    const isRight = isWhole && text === (told.get(id) ?? text);
    if (answers.length > 1 || !isRight)
      violations.push({
        kind: 'text',
        client: 'Postgres',
        detail: `generation ${id} is stored ${answers.length} times, or not as it was sent and told: …${text.slice(-40)}`,
      });
  }
  return violations;
}

async function within<T>(ms: number, promise: Promise<T>, otherwise: string): Promise<T> {
  const late = sleep(ms, undefined, { ref: false }).then(() => {
    throw new Error(`${otherwise} within ${ms} ms`);
  });
  return Promise.race([promise, late]);
}
