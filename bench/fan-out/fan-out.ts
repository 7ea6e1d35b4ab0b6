import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { median, quantile, table } from '../lib/statistics.js';
import { cpuUsOf, cpuUsOfRedis } from '../lib/usage.js';
import type { Part, PartOptions, Stores } from '../part.js';
import { Load } from './load-process.js';
import type { FanOutSystem, RunningSystem } from './system.js';
import { leftOut, systems } from './systems.js';
import { chunkText, works, type Work } from './work.js';

/** What one system took in one round. */
interface Sample {
  cpuUs: number;
  redisUs: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** The share of its core that the clients' process took. */
  loadShare: number;
}

const warmUpMs = 1000;
/** So far ahead of the slowest client a saturated room is written. */
const maxAhead = 1000;

/**
 * What a chunk costs on its way to many clients, side by side with a bare `ws` broadcast and with Socket.IO and its Redis
 * adapters: microseconds of the process that writes to the clients, and of Redis, for each chunk that a client gets, and the
 * time from the write to the client. Clients run in a process of their own. Systems take turns, so that what else the machine
 * does falls on all of them; ratios are taken within a round.
 */
export const fanOut: Part = {
  name: 'fan-out',
  title: 'Fan-out',
  measure: async (options) => tables(await measureAll(options)),
};

async function measureAll({
  stores,
  rounds,
  seconds,
}: PartOptions): Promise<Map<Work, Map<FanOutSystem, Sample[]>>> {
  const samples = new Map(
    works.map((work) => [work, new Map(systems.map((each) => [each, [] as Sample[]]))]),
  );
  for (let round = 1; round <= rounds; round += 1)
    for (const [work, ofSystems] of samples)
      for (const [system, taken] of ofSystems) {
        const sample = await measure(system, work, stores, seconds * 1000);
        taken.push(sample);
        console.log(`round ${round}, ${work.name}, ${system.name}: ${sample.cpuUs.toFixed(2)} µs`);
      }
  return samples;
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
  try {
    await load.connect(
      running.doors.flatMap((door) => Array.from({ length: work.clientsPerRoom }, () => door)),
    );
    const writing = new AbortController();
    const written = write(running, work, load, writing.signal);
    await Promise.race([sleep(warmUpMs), written]);
    const from = { cpuUs: cpuUsOf(running.pid), redisUs: await cpuUsOfRedis(client), at: performance.now() };
    load.measure();
    await Promise.race([sleep(measuredMs), written]);
    const report = await load.report();
    const ms = performance.now() - from.at;
    const [cpuUs, redisUs] = [cpuUsOf(running.pid) - from.cpuUs, (await cpuUsOfRedis(client)) - from.redisUs];
    writing.abort();
    await written;
    if (report.disordered > 0) throw new Error(`${system.name} lost or mixed up ${report.disordered} chunks`);
    const latencyMs = (share: number) => quantile(report.latencyUs, share) / 1000;
    return {
      cpuUs: cpuUs / report.delivered,
      redisUs: redisUs / report.delivered,
      perSecond: (report.delivered * 1000) / ms,
      p50Ms: latencyMs(0.5),
      p99Ms: latencyMs(0.99),
      loadShare: report.cpuShare,
    };
  } finally {
    load.end();
    await running.stop();
    client.disconnect();
  }
}

/** Writes until it is told to stop. */
async function write(running: RunningSystem, work: Work, load: Load, signal: AbortSignal): Promise<void> {
  const { rooms, chunksPerSecond } = work;
  const inFlight = new Set<Promise<void>>();
  const begin = (room: number, n: number) => {
    const writing = running.write(room, chunkText(n)).finally(() => inFlight.delete(writing));
    inFlight.add(writing);
  };
  if (chunksPerSecond === undefined) {
    for (let n = 0; !signal.aborted; n += 1) {
      begin(0, n);
      if (n % 32 === 0) await Promise.all(inFlight);
      while (n - load.slowest > maxAhead && !signal.aborted) await sleep(1);
    }
  } else {
    const beganAt = performance.now();
    // One chunk after the other, spread over the rooms.
    for (let count = 0; !signal.aborted;) {
      const due = ((performance.now() - beganAt) * rooms * chunksPerSecond) / 1000;
      for (; count < due; count += 1) begin(count % rooms, Math.floor(count / rooms));
      await sleep(1);
    }
  }
  await Promise.all(inFlight);
}

function tables(samples: Map<Work, Map<FanOutSystem, Sample[]>>): string {
  const head = ['system', 'µs', '×', 'µs of Redis', 'chunks/s', 'p50 ms', 'p99 ms', 'clients’ core'];
  const sections = [...samples].map(([work, ofSystems]) => {
    const limit = [...ofSystems.values()][0] ?? [];
    const rows = [...ofSystems].map(([{ name }, taken]) => {
      const of = (figure: keyof Sample) => median(taken.map((sample) => sample[figure]));
      const share = of('loadShare');
      return [
        name,
        of('cpuUs').toFixed(2),
        median(taken.map(({ cpuUs }, round) => cpuUs / (limit[round]?.cpuUs ?? NaN))).toFixed(2),
        of('redisUs').toFixed(3),
        Math.round(of('perSecond')).toLocaleString('en'),
        of('p50Ms').toFixed(1),
        of('p99Ms').toFixed(1),
        `${Math.round(share * 100)} %${share > 0.9 ? ' (the bottleneck)' : ''}`,
      ];
    });
    return `### ${work.name}\n\n${table(head, rows)}`;
  });
  const legend =
    'Medians. µs: processor time of the gateway for each chunk that a client got. ×: its ratio to a bare `ws` broadcast in the same round.';
  return [legend, ...sections].join('\n\n');
}
