/**
 * What a chunk costs on its way to many clients, side by side with a bare `ws` broadcast and with Socket.IO and its Redis
 * adapters: microseconds of the process that writes to the clients, and of Redis, for each chunk that a client gets, and the
 * time from the write to the client. Clients run in a process of their own. Systems take turns, so that what else the machine
 * does falls on all of them; ratios are taken within a round.
 *
 * `npm run bench:fan-out -- --rounds 5 --seconds 5`. Writes `bench/results-fan-out.md`.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { startEmbeddedPostgres } from '../../src/embedded/postgres.js';
import { startEmbeddedRedis } from '../../src/embedded/redis.js';
import { createLogger } from '../../src/lib/logger.js';
import { temporaryDataDir } from '../../test/support/temporary-data-dir.js';
import { Load } from './load-process.js';
import { systems, type FanOutSystem, type RunningSystem, type Stores } from './systems.js';
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

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '5' } },
});
const rounds = Number(values.rounds);
const measuredMs = Number(values.seconds) * 1000;
const warmUpMs = 1000;
/** So far ahead of the slowest client a saturated room is written. */
const maxAhead = 1000;
const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK']));

const log = createLogger({ level: 'error', role: 'bench' });
const dataDir = await temporaryDataDir();
const [redis, postgres] = await Promise.all([
  startEmbeddedRedis({ dataDir, log }),
  startEmbeddedPostgres({ dataDir, log }),
]);
try {
  const samples = await measureAll({ redisUrl: redis.url, postgresUrl: postgres.url });
  const table = tables(samples);
  console.log(table);
  writeFileSync(fileURLToPath(new URL('../results-fan-out.md', import.meta.url)), table);
} finally {
  await Promise.all([redis.close(), postgres.close()]);
}
process.exit(0);

async function measureAll(stores: Stores): Promise<Map<Work, Map<FanOutSystem, Sample[]>>> {
  const samples = new Map(
    works.map((work) => [work, new Map(systems.map((each) => [each, [] as Sample[]]))]),
  );
  for (let round = 1; round <= rounds; round += 1)
    for (const [work, ofSystems] of samples)
      for (const [system, taken] of ofSystems) {
        const sample = await measure(system, work, stores);
        taken.push(sample);
        console.log(`round ${round}, ${work.name}, ${system.name}: ${sample.cpuUs.toFixed(2)} µs`);
      }
  return samples;
}

async function measure(system: FanOutSystem, work: Work, stores: Stores): Promise<Sample> {
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
    const from = { cpuUs: cpuUsOf(running.pid), redisUs: await redisUsOf(client), at: performance.now() };
    load.measure();
    await Promise.race([sleep(measuredMs), written]);
    const report = await load.report();
    const ms = performance.now() - from.at;
    const [cpuUs, redisUs] = [cpuUsOf(running.pid) - from.cpuUs, (await redisUsOf(client)) - from.redisUs];
    writing.abort();
    await written;
    if (report.disordered > 0) throw new Error(`${system.name} lost or mixed up ${report.disordered} chunks`);
    const sorted = report.latencyUs.toSorted((a, b) => a - b);
    const latencyMs = (share: number) => (sorted[Math.ceil(share * sorted.length) - 1] ?? NaN) / 1000;
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
    const writing = running.write(room, n, chunkText(n)).finally(() => inFlight.delete(writing));
    inFlight.add(writing);
  };
  if (chunksPerSecond === undefined) {
    for (let n = 0; !signal.aborted; n += 1) {
      begin(0, n);
      if (n % 32 === 0) await Promise.all(inFlight);
      while (n - load.slowest > maxAhead) await sleep(1);
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

/** Processor time of a process so far (proc(5)). */
function cpuUsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / ticksPerSecond;
}

async function redisUsOf(redis: Redis): Promise<number> {
  const info = await redis.info('cpu');
  const seconds = (name: string) => Number(new RegExp(`${name}:([\\d.]+)`).exec(info)?.[1]);
  return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1e6;
}

function tables(samples: Map<Work, Map<FanOutSystem, Sample[]>>): string {
  const median = (numbers: readonly number[]) =>
    numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? NaN;
  const lines = [
    '# Fan-out, side by side',
    '',
    `Medians of ${rounds} rounds of ${measuredMs / 1000} s, in turns, on ${cpus().length} cores (${cpus()[0]?.model ?? ''}), Node ${process.versions.node}. µs: processor time for each chunk that a client got. ×: its ratio to a bare \`ws\` broadcast in the same round. Made by \`npm run bench:fan-out\`.`,
  ];
  for (const [work, ofSystems] of samples) {
    const limit = [...ofSystems.values()][0] ?? [];
    lines.push(
      '',
      `## ${work.name}`,
      '',
      '| system | µs | × | µs of Redis | chunks/s | p50 ms | p99 ms | clients’ core |',
      '| --- | --- | --- | --- | --- | --- | --- | --- |',
    );
    for (const [{ name }, taken] of ofSystems) {
      const of = (figure: keyof Sample) => median(taken.map((sample) => sample[figure]));
      const ratio = median(taken.map(({ cpuUs }, round) => cpuUs / (limit[round]?.cpuUs ?? NaN)));
      const share = of('loadShare');
      lines.push(
        `| ${[
          name,
          of('cpuUs').toFixed(2),
          ratio.toFixed(2),
          of('redisUs').toFixed(3),
          Math.round(of('perSecond')).toLocaleString('en'),
          of('p50Ms').toFixed(1),
          of('p99Ms').toFixed(1),
          `${Math.round(share * 100)} %${share > 0.9 ? ' (the bottleneck)' : ''}`,
        ].join(' | ')} |`,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}
