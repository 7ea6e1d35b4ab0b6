import { setTimeout as sleep } from 'node:timers/promises';
import { Person } from '../../test/support/person.js';
import { inspectable, LiveMemory } from '../../test/support/live-memory.js';
import { startSystem } from '../../test/support/system.js';
import { makeRooms } from '../lib/many-rooms.js';
import { Remote } from '../lib/remote.js';
import { median, table } from '../lib/statistics.js';
import { memoryOf } from '../lib/usage.js';
import type { Part, PartOptions } from '../part.js';
import type { Clients } from './clients.js';

/** More than the first of each round, which is where it is counted from: what is made at the first use is not counted. */
const counts = [200, 2200, 5200];
const watchersOfRoom = 10;
const settleMs = 4000;

/** What an api holds for clients that have joined a room in which nothing happens. */
export const idle: Part = { name: 'idle', title: 'Growth: idle watchers', measure };

async function measure({ stores, rounds }: PartOptions): Promise<string> {
  const rows: { watchers: number; residentKb: number[]; liveKb: number[] }[] = counts
    .slice(1)
    .map((count) => ({ watchers: count - (counts[0] ?? 0), residentKb: [], liveKb: [] }));
  for (let round = 1; round <= rounds; round += 1) {
    const system = await startSystem({
      workers: 0,
      redisUrl: stores.redisUrl,
      databaseUrl: stores.postgresUrl,
      env: { LOG_LEVEL: 'warn', ...inspectable },
    });
    const clients = new Remote<Clients>('./clients.ts', import.meta.url);
    try {
      const api = system.api();
      const memory = await LiveMemory.of(api);
      const person = await Person.signIn(api, 'Bench');
      const rooms = await makeRooms(stores.postgresUrl, person.user.id, Math.max(...counts) / watchersOfRoom);
      const address = { port: Number(new URL(api.url).port), token: person.token };
      const held: { resident: number; live: number }[] = [];
      let joined = 0;
      for (const count of counts) {
        const more = Array.from({ length: count - joined }, (_, n) => [
          rooms[(joined + n) % rooms.length] ?? '',
        ]);
        await clients.call('watch', address, more);
        joined = count;
        await sleep(settleMs);
        const live = (await memory.measure()).bytes;
        held.push({ resident: memoryOf(api.pid ?? 0), live });
      }
      const [base, ...grown] = held;
      for (const [n, row] of rows.entries()) {
        row.residentKb.push(((grown[n]?.resident ?? NaN) - (base?.resident ?? NaN)) / 1024 / row.watchers);
        row.liveKb.push(((grown[n]?.live ?? NaN) - (base?.live ?? NaN)) / 1024 / row.watchers);
      }
      console.log(`round ${round}: ${JSON.stringify(rows)}`);
    } finally {
      clients.end();
      await system.stop();
    }
  }
  const head = ['idle watchers', 'resident KB for each', 'live KB for each'];
  const cells = rows.map(({ watchers, residentKb, liveKb }) => [
    watchers.toLocaleString('en'),
    median(residentKb).toFixed(1),
    median(liveKb).toFixed(1),
  ]);
  return `WebSocket clients that have joined a room, ${watchersOfRoom} in each; what the api holds more than with ${counts[0] ?? 0} of them, behind a full collection. The kernel’s buffers are not in it.\n\n${table(head, cells)}`;
}
