import { Redis } from 'ioredis';
import postgres from 'postgres';
import { Person } from '../../test/support/person.js';
import { startSystem, type System } from '../../test/support/system.js';
import { Model } from '../lib/model-process.js';
import { isProfiling, profilingArgs } from '../lib/profiling.js';
import { median, quantile, table } from '../lib/statistics.js';
import { transactionsOf } from '../lib/store-counts.js';
import { cpuUsOf, cpuUsOfPostgres, cpuUsOfRedis } from '../lib/usage.js';
import type { Part, PartOptions, Stores } from '../part.js';
import { Load, type LoadReport, type Target } from './load-process.js';

const people = 20;
const conversationsEach = 10;
/** Until what a message runs through is compiled: before, one costs twice as much. */
const warmUpMs = 10_000;

interface Work {
  name: string;
  /** Processes that accept. */
  apis: number;
  /** Workers answer meanwhile, with one short chunk. */
  answering: boolean;
  inFlight: number;
  /** Between an acceptance and the next request. */
  pauseMs: number;
}

const works: readonly Work[] = [
  {
    name: 'idle: one every 100 ms, answered by a worker',
    apis: 1,
    answering: true,
    inFlight: 1,
    pauseMs: 100,
  },
  { name: 'one after the other, answered by a worker', apis: 1, answering: true, inFlight: 1, pauseMs: 0 },
  { name: '32 at once, answered by a worker', apis: 1, answering: true, inFlight: 32, pauseMs: 0 },
  { name: '32 at once, no worker takes them', apis: 1, answering: false, inFlight: 32, pauseMs: 0 },
  { name: '32 at once, two apis, no worker takes them', apis: 2, answering: false, inFlight: 32, pauseMs: 0 },
];

/** What one kind of work took in one round. */
interface Sample {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Of the api, for each message. */
  apiUs: number;
  apiShare: number;
  redisUs: number;
  postgresUs: number;
  transactions: number;
  loadShare: number;
}

/**
 * How fast messages are accepted over HTTP: how long one takes on an idle system, and how many a second are taken for
 * some seconds, with one api or two, Postgres, Redis, the load and, where they are answered, worker and model on one machine.
 */
export const accepting: Part = {
  name: 'accepting',
  title: 'Accepting',
  measure: async (options) => tableOf(await measureAll(options)),
};

async function measureAll({ stores, rounds, seconds }: PartOptions): Promise<Map<Work, Sample[]>> {
  const samples = new Map(works.map((work) => [work, [] as Sample[]]));
  for (let round = 1; round <= rounds; round += 1)
    for (const [work, taken] of samples) {
      const sample = await measure(work, stores, seconds * 1000);
      taken.push(sample);
      console.log(`round ${round}, ${work.name}: ${JSON.stringify(sample)}`);
    }
  return samples;
}

async function measure(work: Work, stores: Stores, measuredMs: number): Promise<Sample> {
  const { redisUrl, postgresUrl: databaseUrl } = stores;
  const redis = new Redis(redisUrl);
  await redis.flushall();
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => undefined });
  const model = await Model.start(0);
  const load = new Load();
  const system = await startSystem({
    apis: work.apis,
    workers: work.answering ? 1 : 0,
    redisUrl,
    databaseUrl,
    upstream: model,
    nodeArgs: { api: profilingArgs },
    env: {
      DEFAULT_MODEL: 'claude-haiku-4-5',
      MAX_QUEUED_GENERATIONS: '1000000',
      LOG_LEVEL: 'warn',
    },
  });
  try {
    const targets = await targetsOf(system);
    const urls = system.apis.map(({ url }) => url);
    const send = (ms: number) =>
      load.send({ urls, targets, inFlight: work.inFlight, pauseMs: work.pauseMs, ms });
    await send(warmUpMs);
    const look = async () => ({
      cpuUs: system.apis.reduce((all, { pid = 0 }) => all + cpuUsOf(pid), 0),
      redisUs: await cpuUsOfRedis(redis),
      postgresUs: await cpuUsOfPostgres(sql),
      transactions: await transactionsOf(sql),
    });
    const from = await look();
    const report = await send(measuredMs);
    const to = await look();
    return sampleOf(report, {
      cpuUs: to.cpuUs - from.cpuUs,
      redisUs: to.redisUs - from.redisUs,
      postgresUs: to.postgresUs - from.postgresUs,
      transactions: to.transactions - from.transactions,
    });
  } finally {
    if (isProfiling) {
      for (const api of system.apis) api.kill('SIGTERM');
      await Promise.all(system.apis.map((api) => api.exited()));
    }
    await system.stop();
    load.end();
    model.end();
    await sql`truncate users, conversations, documents, budgets, outbox cascade`;
    await sql.end();
    redis.disconnect();
  }
}

/** Conversations, of several people each. */
async function targetsOf(system: System): Promise<Target[]> {
  const targets: Target[] = [];
  for (let n = 0; n < people; n += 1) {
    const person = await Person.signIn(system.api(), `Bench ${n}`);
    const ids = await Promise.all(Array.from({ length: conversationsEach }, () => person.converse()));
    targets.push(...ids.map((conversationId) => ({ conversationId, token: person.token })));
  }
  return targets;
}

function sampleOf(
  { latencyMs, tookMs, cpuShare }: LoadReport,
  used: { cpuUs: number; redisUs: number; postgresUs: number; transactions: number },
): Sample {
  const count = latencyMs.length;
  return {
    perSecond: (count * 1000) / tookMs,
    p50Ms: quantile(latencyMs, 0.5),
    p99Ms: quantile(latencyMs, 0.99),
    apiUs: used.cpuUs / count,
    apiShare: used.cpuUs / (tookMs * 1000),
    redisUs: used.redisUs / count,
    postgresUs: used.postgresUs / count,
    transactions: used.transactions / count,
    loadShare: cpuShare,
  };
}

function tableOf(samples: Map<Work, Sample[]>): string {
  const head = [
    '',
    'a second',
    'p50 ms',
    'p99 ms',
    'µs of the api',
    'its core',
    'µs of Redis',
    'µs of Postgres',
    'load’s core',
  ];
  const percent = (share: number) => `${Math.round(100 * share)} %`;
  const rows = [...samples].map(([{ name }, taken]) => {
    const of = (figure: keyof Sample) => median(taken.map((sample) => sample[figure]));
    const loadShare = of('loadShare');
    return [
      name,
      Math.round(of('perSecond')).toLocaleString('en'),
      of('p50Ms').toFixed(1),
      of('p99Ms').toFixed(1),
      Math.round(of('apiUs')).toLocaleString('en'),
      percent(of('apiShare')),
      Math.round(of('redisUs')).toLocaleString('en'),
      Math.round(of('postgresUs')).toLocaleString('en'),
      `${percent(loadShare)}${loadShare > 0.9 ? ' (the bottleneck)' : ''}`,
    ];
  });
  const legend = `Medians, of \`POST /v1/conversations/:id/messages\` in ${people * conversationsEach} conversations of ${people} people, through one api process or two; all processes share the machine. µs: processor time for each message.`;
  return `${legend}\n\n${table(head, rows)}`;
}
