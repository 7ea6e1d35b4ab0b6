import { setTimeout as sleep } from 'node:timers/promises';
import { inspectable, LiveMemory } from '../../test/support/live-memory.js';
import { makeRooms } from '../lib/many-rooms.js';
import { startProduct } from '../lib/product.js';
import { Remote } from '../lib/remote.js';
import { median, table } from '../lib/statistics.js';
import { memoryOf } from '../lib/usage.js';
import type { Part, PartOptions, Stores } from '../part.js';
import type { Clients } from './clients.js';

/** Behind the first ones, for which the process makes what it needs once. */
const counts = [200, 2200, 5200] as const;
const watchersOfRoom = 10;
const settleMs = 4000;

/** KB for each watcher. */
interface Held {
  first: number;
  more: number;
  live: number;
}

/** What an api holds for clients that have joined a room in which nothing happens. */
export const idle: Part = { name: 'idle', title: 'Growth: idle watchers', measure };

async function measure({ stores, rounds }: PartOptions): Promise<string> {
  const taken: Held[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    taken.push(await measureOnce(stores));
    console.log(`round ${round}: ${JSON.stringify(taken.at(-1))}`);
  }
  const of = (figure: keyof Held) => median(taken.map((held) => held[figure])).toFixed(1);
  const [few, some, many] = counts.map((count) => count.toLocaleString('en'));
  const rows = [
    [`resident, from ${few ?? ''} to ${some ?? ''} watchers (the heap grows)`, of('first')],
    [`resident, from ${some ?? ''} to ${many ?? ''}`, of('more')],
    ['live: what is let go of when all leave', of('live')],
  ];
  return `WebSocket clients that have joined a room, ${watchersOfRoom} in each; memory of the api, without the kernel’s buffers. Medians.\n\n${table(['what', 'KB for each'], rows)}`;
}

async function measureOnce(stores: Stores): Promise<Held> {
  const { system, pid, port, person, stop } = await startProduct(stores, { env: inspectable });
  const clients = new Remote<Clients>('./clients.ts', import.meta.url);
  try {
    const rooms = await makeRooms(stores.postgresUrl, person.user.id, Math.max(...counts) / watchersOfRoom);
    const address = { port, token: person.token };
    let watching = 0;
    const residentWith = async (count: number) => {
      const more = Array.from({ length: count - watching }, (_, n) => [
        rooms[(watching + n) % rooms.length] ?? '',
      ]);
      await clients.call('watch', address, more);
      watching = count;
      await sleep(settleMs);
      return memoryOf(pid);
    };
    const few = await residentWith(counts[0]);
    const some = await residentWith(counts[1]);
    const many = await residentWith(counts[2]);
    // Looking costs memory of its own, so it comes last.
    const memory = await LiveMemory.of(system.api());
    const withThem = (await memory.measure()).bytes;
    await clients.call('leave');
    await sleep(settleMs);
    const withoutThem = (await memory.measure()).bytes;
    memory.close();
    return {
      first: (some - few) / 1024 / (counts[1] - counts[0]),
      more: (many - some) / 1024 / (counts[2] - counts[1]),
      live: (withThem - withoutThem) / 1024 / counts[2],
    };
  } finally {
    clients.end();
    await stop();
  }
}
