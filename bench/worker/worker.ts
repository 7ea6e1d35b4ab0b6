import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import postgres from 'postgres';
import { createKeys } from '../../src/redis/keys.js';
import { conversationRoom, type Room } from '../../src/wire/room.js';
import { Person } from '../../test/support/person.js';
import { startSystem, type System, type SystemProcess } from '../../test/support/system.js';
import { temporaryDataDir } from '../../test/support/temporary-data-dir.js';
import { nowUs, readChunks } from '../fan-out/work.js';
import { Model } from '../lib/model-process.js';
import { pin, pinStores } from '../lib/pin.js';
import { isProfiling, profilingArgs } from '../lib/profiling.js';
import { median, quantile, table } from '../lib/statistics.js';
import { redisCalls, transactionsOf } from '../lib/store-counts.js';
import { cpuUsOf, cpuUsOfRedis, memoryOf } from '../lib/usage.js';
import type { Part, PartOptions, Stores } from '../part.js';

const generations = 500;
const chunksPerSecond = 30;
const warmUpMs = 3000;
const startWithinMs = 30_000;
/** Rooms whose logs are read afterwards. */
const roomsRead = 25;
const askedAtOnce = 10;
const loopMonitor = fileURLToPath(new URL('./loop-monitor.mjs', import.meta.url));
/** The worker has a core of its own, all others share one. */
const workerCore = 0;
const otherCore = 1;

/** What was measured in one round. */
interface Sample {
  chunksPerSecond: number;
  /** Of the worker and of Redis, in microseconds. */
  cpuUs: number;
  redisUs: number;
  cpuShare: number;
  appends: number;
  transactionsPerSecond: number;
  loopP50Ms: number;
  loopP99Ms: number;
  /** While the generations start, as fast as one api accepts them. */
  startsPerSecond: number;
  startLoopP50Ms: number;
  startLoopP99Ms: number;
  memoryMb: number;
  logP50Ms: number;
  logP99Ms: number;
  modelShare: number;
}

/**
 * One worker process on one core that runs 500 generations of 30 chunks a second each, asked for over HTTP and watched by
 * nobody: what a chunk costs it, Redis and Postgres, how late its event loop gets, and the time from the model's write to
 * the room log's. Api, model, Redis and Postgres share the other core.
 */
export const worker: Part = {
  name: 'worker',
  title: 'Worker',
  measure: async (options) => tableOf(await measureAll(options)),
};

async function measureAll({ stores, rounds, seconds }: PartOptions): Promise<Sample[]> {
  await pinStores(stores, otherCore);
  pin(process.pid, otherCore);
  const samples: Sample[] = [];
  try {
    for (let round = 1; round <= rounds; round += 1) {
      const sample = await measure(stores, seconds * 1000);
      samples.push(sample);
      console.log(`round ${round}: ${JSON.stringify(sample)}`);
    }
  } finally {
    // The parts behind it are measured on all.
    pin(process.pid, `${workerCore},${otherCore}`);
  }
  return samples;
}

async function measure(stores: Stores, measuredMs: number): Promise<Sample> {
  const { redisUrl, postgresUrl: databaseUrl } = stores;
  const redis = new Redis(redisUrl);
  await redis.flushall();
  const model = await Model.start(chunksPerSecond);
  const loopFile = join(await temporaryDataDir(), 'loop');
  const system = await startSystem({
    redisUrl,
    databaseUrl,
    upstream: model,
    nodeArgs: { worker: ['--max-semi-space-size=64', `--import=${loopMonitor}`, ...profilingArgs] },
    env: {
      DEFAULT_MODEL: 'claude-haiku-4-5',
      WORKER_CONCURRENCY: String(generations),
      SHUTDOWN_GRACE_MS: '0',
      LOG_LEVEL: 'warn',
      LOOP_FILE: loopFile,
    },
  });
  const sql = postgres(databaseUrl, { max: 1 });
  try {
    pin(system.worker().pid, workerCore);
    // Each look begins the measurement of the event loop anew.
    const loop = () => loopOf(system.worker(), loopFile);
    await loop();
    const askedAt = performance.now();
    const rooms = await ask(system);
    await whenAllRun(system.worker(), model);
    const startsPerSecond = (generations * 1000) / (performance.now() - askedAt);
    const starting = await loop();
    model.write();
    await sleep(warmUpMs);
    const sample = await observe({ worker: system.worker(), loop, model, redis, sql }, measuredMs);
    const latencyMs = await readLogs(redis, system, rooms.slice(0, roomsRead));
    if (isProfiling) {
      system.worker().kill('SIGTERM');
      await system.worker().exited();
    }
    const [logP50Ms, logP99Ms] = [quantile(latencyMs, 0.5), quantile(latencyMs, 0.99)];
    return {
      ...sample,
      startsPerSecond,
      startLoopP50Ms: starting.p50Ms,
      startLoopP99Ms: starting.p99Ms,
      logP50Ms,
      logP99Ms,
    };
  } finally {
    await system.stop();
    model.end();
    await sql.end();
    redis.disconnect();
  }
}

/** How late an event loop was. */
interface Loop {
  p50Ms: number;
  p99Ms: number;
}

/** Asks the monitor of a process what it has seen since it was last asked. */
async function loopOf(process: SystemProcess, file: string): Promise<Loop> {
  await rm(file, { force: true });
  process.kill('SIGUSR2');
  for (;;) {
    const seen = await readFile(file, 'utf8').catch(() => undefined);
    if (seen !== undefined) return JSON.parse(seen) as Loop;
    await sleep(5);
  }
}

/** Has a question asked in as many conversations as there are to be generations; answers their rooms. */
async function ask(system: System): Promise<Room[]> {
  const person = await Person.signIn(system.api(), 'Bench');
  const rooms: Room[] = [];
  while (rooms.length < generations) {
    const asked = Array.from({ length: askedAtOnce }, async () => {
      const id = await person.converse();
      await person.ask(id, 'Go on.');
      return conversationRoom(id);
    });
    rooms.push(...(await Promise.all(asked)));
  }
  return rooms;
}

/** Resolves once the model answers all of them. @throws with the worker's last words where that takes too long */
async function whenAllRun(worker: SystemProcess, model: Model): Promise<void> {
  const deadline = performance.now() + startWithinMs;
  for (;;) {
    const { open } = await model.report();
    if (open === generations) return;
    if (performance.now() > deadline)
      throw new Error(`${open} generations run:\n${worker.output.slice(-20).join('\n')}`);
    await sleep(50);
  }
}

interface Observed {
  worker: SystemProcess;
  loop: () => Promise<Loop>;
  model: Model;
  redis: Redis;
  sql: postgres.Sql;
}

async function observe(
  { worker, loop, model, redis, sql }: Observed,
  measuredMs: number,
): Promise<Omit<Sample, 'logP50Ms' | 'logP99Ms' | 'startsPerSecond' | 'startLoopP50Ms' | 'startLoopP99Ms'>> {
  const look = async () => ({
    at: performance.now(),
    loop: await loop(),
    cpuUs: cpuUsOf(worker.pid ?? 0),
    redisUs: await cpuUsOfRedis(redis),
    calls: await redisCalls(redis),
    transactions: await transactionsOf(sql),
  });
  const from = await look();
  model.measure();
  await sleep(measuredMs);
  const { sent, cpuShare: modelShare } = await model.report();
  const to = await look();
  const us = (to.at - from.at) * 1000;
  const called = (command: string) => (to.calls.get(command) ?? 0) - (from.calls.get(command) ?? 0);
  return {
    chunksPerSecond: (sent * 1e6) / us,
    cpuUs: (to.cpuUs - from.cpuUs) / sent,
    redisUs: (to.redisUs - from.redisUs) / sent,
    cpuShare: (to.cpuUs - from.cpuUs) / us,
    appends: called('evalsha') / sent,
    transactionsPerSecond: ((to.transactions - from.transactions) * 1e6) / us,
    loopP50Ms: to.loop.p50Ms,
    loopP99Ms: to.loop.p99Ms,
    memoryMb: memoryOf(worker.pid ?? 0) / 2 ** 20,
    modelShare,
  };
}

/** How long each chunk in these logs took from the model's write to its entry. @throws where one is missing */
async function readLogs(redis: Redis, { keyPrefix }: System, rooms: readonly Room[]): Promise<number[]> {
  const keys = createKeys(keyPrefix);
  // Redis counts from 1970, in milliseconds; a model's clock is that of the machine.
  const epochMs = Date.now() - nowUs() / 1000;
  const latencyMs: number[] = [];
  for (const room of rooms) {
    let next = 0;
    for (const [id, fields] of await redis.xrange(keys.log(room), '-', '+')) {
      readChunks(Buffer.from(fields[5] ?? ''), (n, writtenAtUs) => {
        if (n !== next) throw new Error(`chunk ${n} stands where ${next} is due in ${room}`);
        next += 1;
        latencyMs.push(Number(id.split('-')[0]) - epochMs - writtenAtUs / 1000);
      });
    }
    if (next === 0) throw new Error(`nothing was written in ${room}`);
  }
  return latencyMs;
}

function tableOf(samples: readonly Sample[]): string {
  const of = (figure: keyof Sample) => median(samples.map((sample) => sample[figure]));
  const percent = (share: number) => `${Math.round(100 * share)} %`;
  const modelShare = of('modelShare');
  const rows = [
    ['chunks handled, per second', Math.round(of('chunksPerSecond')).toLocaleString('en')],
    [
      'event loop of the worker while all write, p50 / p99',
      `${of('loopP50Ms').toFixed(1)} / ${of('loopP99Ms').toFixed(1)} ms`,
    ],
    [
      `event loop of the worker while they start, ${Math.round(of('startsPerSecond'))} a second, p50 / p99`,
      `${of('startLoopP50Ms').toFixed(1)} / ${of('startLoopP99Ms').toFixed(1)} ms`,
    ],
    ['worker, per chunk', `${of('cpuUs').toFixed(1)} µs (${percent(of('cpuShare'))} of its core)`],
    ['Redis, per chunk', `${of('redisUs').toFixed(1)} µs`],
    ['appends per chunk', of('appends').toFixed(2)],
    ['memory of the worker', `${Math.round(of('memoryMb'))} MB`],
    ['transactions of Postgres, per second, of all processes', of('transactionsPerSecond').toFixed(1)],
    [
      'from the model’s write to the log’s, p50 / p99',
      `${of('logP50Ms').toFixed(1)} / ${of('logP99Ms').toFixed(1)} ms`,
    ],
    ['core of the model', `${percent(modelShare)}${modelShare > 0.9 ? ' (the bottleneck)' : ''}`],
  ];
  const legend = `Medians. One worker process with ${generations} generations of ${chunksPerSecond} chunks a second each, on a core of its own; api, model, Redis and Postgres share another. Of the event loop it is said how late it was, looked at ten times a second.`;
  return `${legend}\n\n${table(['', ''], rows)}`;
}
