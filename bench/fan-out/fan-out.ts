import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { median, quantile, table } from '../lib/statistics.js';
import { cpuUsOf, cpuUsOfRedis } from '../lib/usage.js';
import type { Part, PartOptions, Stores } from '../part.js';
import { Load } from './load-process.js';
import { measureMemory, memoryTable, type Held } from './memory.js';
import type { FanOutSystem } from './system.js';
import { leftOut, systems } from './systems.js';
import { works, type Work } from './work.js';
import { writeAsFastAsItGoes, writeEvenly } from './write.js';

/** What one system took in one round. */
interface Sample {
  cpuUs: number;
  redisUs: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** The shares of their cores that the clients' process and this one, which writes, took. */
  loadShare: number;
  writerShare: number;
  /** How often a client got another chunk than the next one, or was cut off. */
  disordered: number;
}

const warmUpMs = 1000;

/**
 * What a chunk costs on its way to many clients, side by side with a bare `ws` broadcast and with what else there is for it:
 * microseconds of the process that writes to the clients, and of Redis, for each chunk that a client gets, the time from the
 * write to the client, and memory. Clients run in a process of their own. Systems take turns, so that what else the machine
 * does falls on all of them; ratios are taken within a round.
 */
export const fanOut: Part = { name: 'fan-out', title: 'Fan-out', measure: measureAll };

async function measureAll({ stores, rounds, seconds }: PartOptions): Promise<string> {
  const ofSystems = <T>() => new Map(systems.map((system) => [system, [] as T[]]));
  const samples = new Map(works.map((work) => [work, ofSystems<Sample>()]));
  const held = ofSystems<Held>();
  for (let round = 1; round <= rounds; round += 1) {
    const log = (what: string, { name }: FanOutSystem, figures: object) => {
      console.log(`round ${round}, ${what}, ${name}: ${JSON.stringify(figures)}`);
    };
    for (const [work, samplesOfWork] of samples)
      for (const [system, taken] of samplesOfWork) {
        const sample = await measure(system, work, stores, seconds * 1000);
        taken.push(sample);
        log(work.name, system, sample);
      }
    for (const [system, taken] of held) {
      const sample = await measureMemory(system, stores, seconds * 1000);
      taken.push(sample);
      log('memory', system, sample);
    }
  }
  const tables = [...samples].map(([work, taken]) => `### ${work.name}\n\n${tableOf(taken)}`);
  return [legend(), ...tables, `### Memory\n\n${memoryTable(held)}`].join('\n\n');
}

async function measure(
  system: FanOutSystem,
  work: Work,
  stores: Stores,
  measuredMs: number,
): Promise<Sample> {
  const client = new Redis(stores.redisUrl);
  await client.flushall();
  const running = await system.start(stores, work.rooms);
  const load = new Load();
  const look = async () => ({
    ms: performance.now(),
    cpuUs: cpuUsOf(running.pid),
    redisUs: await cpuUsOfRedis(client),
    writerUs: cpuUsOf(process.pid),
  });
  try {
    await load.connect(
      running.doors.flatMap((door) => Array.from({ length: work.clientsPerRoom }, () => door)),
    );
    const writing = new AbortController();
    const written =
      work.chunksPerSecond === undefined
        ? writeAsFastAsItGoes(running, load, writing.signal)
        : writeEvenly(running, work.chunksPerSecond, writing.signal);
    await Promise.race([sleep(warmUpMs), written]);
    const from = await look();
    load.measure();
    await Promise.race([sleep(measuredMs), written]);
    const report = await load.report();
    const to = await look();
    writing.abort();
    await written;
    const used = (figure: keyof typeof from) => to[figure] - from[figure];
    const latencyMs = (share: number) => quantile(report.latencyUs, share) / 1000;
    return {
      cpuUs: used('cpuUs') / report.delivered,
      redisUs: used('redisUs') / report.delivered,
      perSecond: (report.delivered * 1000) / used('ms'),
      p50Ms: latencyMs(0.5),
      p99Ms: latencyMs(0.99),
      loadShare: report.cpuShare,
      writerShare: used('writerUs') / 1000 / used('ms'),
      disordered: report.disordered,
    };
  } finally {
    load.end();
    await running.stop();
    client.disconnect();
  }
}

function tableOf(samples: ReadonlyMap<FanOutSystem, readonly Sample[]>): string {
  const head = [
    'system',
    'µs',
    '×',
    'µs of Redis',
    'chunks/s',
    'p50 ms',
    'p99 ms',
    'clients’ core',
    'writer’s core',
    'lost or mixed up',
  ];
  const limit = [...samples.values()][0] ?? [];
  const rows = [...samples].map(([{ name }, taken]) => {
    const of = (figure: keyof Sample) => median(taken.map((sample) => sample[figure]));
    const percent = (share: number) =>
      `${Math.round(share * 100)} %${share > 0.9 ? ' (the bottleneck)' : ''}`;
    return [
      name,
      of('cpuUs').toFixed(2),
      median(taken.map(({ cpuUs }, round) => cpuUs / (limit[round]?.cpuUs ?? NaN))).toFixed(2),
      of('redisUs').toFixed(3),
      Math.round(of('perSecond')).toLocaleString('en'),
      of('p50Ms').toFixed(1),
      of('p99Ms').toFixed(1),
      percent(of('loadShare')),
      percent(of('writerShare')),
      String(taken.reduce((sum, { disordered }) => sum + disordered, 0)),
    ];
  });
  return table(head, rows);
}

function legend(): string {
  const figures =
    'Medians. µs: processor time of the gateway for each chunk that a client got. ×: its ratio to a bare `ws` broadcast in the same round.';
  const peers =
    'Clients of `resumable-stream` have resumed a stream, each over an HTTP response; its producer, which publishes once for each of them, is in the same process, as in its README, and counts. nginx takes the chunks for nchan over a WebSocket for each room, which counts too.';
  return [figures, peers, leftOut].join(' ').trim();
}
