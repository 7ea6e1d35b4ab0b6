import { setTimeout as sleep } from 'node:timers/promises';
import type { Room } from '../../src/wire/room.js';
import { chunkText } from '../fan-out/work.js';
import { makeRooms } from '../lib/many-rooms.js';
import { startProduct } from '../lib/product.js';
import { Remote } from '../lib/remote.js';
import type { RoomWriter } from '../lib/room-writer.js';
import { median, quantile, table } from '../lib/statistics.js';
import { cpuUsOf, cpuUsOfRedis } from '../lib/usage.js';
import type { Part, PartOptions } from '../part.js';
import type { Clients } from './clients.js';

const roomCounts = [10, 100, 1000, 10_000];
/** Over all rooms together, however many they are. */
const chunksPerSecond = 1000;
const sockets = 50;
/** Longer than it takes until everybody's presence has been told. */
const settleMs = 5000;
const warmUpMs = 2000;

interface Sample {
  gatewayUs: number;
  redisUs: number;
  p50Ms: number;
  p99Ms: number;
  loadShare: number;
}

/** What a chunk costs gateway and Redis when the same chunks go to more and more rooms, each with one watcher. */
export const rooms: Part = { name: 'rooms', title: 'Growth: rooms', measure };

async function measure({ stores, rounds, seconds }: PartOptions): Promise<string> {
  const { pid, port, person, writer, redis, stop } = await startProduct(stores);
  const samples = new Map(roomCounts.map((count) => [count, [] as Sample[]]));
  try {
    const all = await makeRooms(stores.postgresUrl, person.user.id, Math.max(...roomCounts));
    for (let at = 0; at < all.length; at += 100)
      await Promise.all(all.slice(at, at + 100).map((room) => writer.open(room)));
    for (let round = 1; round <= rounds; round += 1)
      for (const [count, taken] of samples) {
        const clients = new Remote<Clients>('./clients.ts', import.meta.url);
        const watched = all.slice(0, count);
        const ofSockets = Array.from({ length: Math.min(sockets, count) }, (_, socket) =>
          watched.filter((_room, n) => n % sockets === socket),
        );
        await clients.call('watch', { port, token: person.token }, ofSockets);
        await sleep(settleMs);
        const writing = new AbortController();
        const written = writeEvenly(writer, watched, writing.signal);
        await sleep(warmUpMs);
        await clients.call('measure');
        const before = { gateway: cpuUsOf(pid), redis: await cpuUsOfRedis(redis) };
        await sleep(seconds * 1000);
        const { delivered, latencyUs, cpuShare } = await clients.call('report');
        taken.push({
          gatewayUs: (cpuUsOf(pid) - before.gateway) / delivered,
          redisUs: ((await cpuUsOfRedis(redis)) - before.redis) / delivered,
          p50Ms: quantile(latencyUs, 0.5) / 1000,
          p99Ms: quantile(latencyUs, 0.99) / 1000,
          loadShare: cpuShare,
        });
        console.log(`round ${round}, ${count} rooms: ${JSON.stringify(taken.at(-1))}`);
        writing.abort();
        await written;
        clients.end();
        await sleep(warmUpMs);
      }
  } finally {
    await stop();
  }
  const first = [...samples.values()][0] ?? [];
  const rows = [...samples].map(([count, taken]) => {
    const of = (figure: keyof Sample) => median(taken.map((sample) => sample[figure]));
    const ratio = (figure: keyof Sample) =>
      median(taken.map((sample, round) => sample[figure] / (first[round]?.[figure] ?? NaN)));
    return [
      count.toLocaleString('en'),
      of('gatewayUs').toFixed(1),
      ratio('gatewayUs').toFixed(2),
      of('redisUs').toFixed(1),
      ratio('redisUs').toFixed(2),
      of('p50Ms').toFixed(1),
      of('p99Ms').toFixed(1),
      `${Math.round(of('loadShare') * 100)} %`,
    ];
  });
  const head = ['rooms', 'µs of the gateway', '×', 'µs of Redis', '×', 'p50 ms', 'p99 ms', 'clients’ core'];
  return `${chunksPerSecond.toLocaleString('en')} chunks a second over all rooms, one watcher in each. Medians; µs of processor time for each chunk, all that the processes do beside it included; ×: to the first row of the same round.\n\n${table(head, rows)}`;
}

/** Writes to one room after the other until it is told to stop. */
async function writeEvenly(writer: RoomWriter, watched: readonly Room[], signal: AbortSignal): Promise<void> {
  const inFlight = new Set<Promise<void>>();
  const beganAt = performance.now();
  for (let count = 0; !signal.aborted;) {
    const due = ((performance.now() - beganAt) * chunksPerSecond) / 1000;
    for (; count < due; count += 1) {
      const room = watched[count % watched.length];
      if (room === undefined) return;
      const writing = writer.write(room, chunkText(count)).finally(() => inFlight.delete(writing));
      inFlight.add(writing);
    }
    await sleep(1);
  }
  await Promise.all(inFlight);
}
