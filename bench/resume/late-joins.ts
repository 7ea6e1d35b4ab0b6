import { setTimeout as sleep } from 'node:timers/promises';
import { conversationRoom } from '../../src/wire/room.js';
import { openPostgresProxy } from '../../test/support/postgres-proxy.js';
import { startProduct } from '../lib/product.js';
import { Remote } from '../lib/remote.js';
import type { Model } from '../lib/scripted-model.js';
import { median, quantile, table } from '../lib/statistics.js';
import { callsOfRedis, cpuUsOf, cpuUsOfRedis } from '../lib/usage.js';
import type { PartOptions } from '../part.js';
import type { Clients } from './clients.js';

const words = 20_000;
const wordLength = 5;
const warmUpJoins = 50;
const joins = 100;

/** Joins to an answer of 20,000 words that is being written. */
export async function lateJoins({ stores, rounds }: PartOptions): Promise<string> {
  const model = new Remote<Model>('../lib/scripted-model.ts', import.meta.url);
  const proxy = await openPostgresProxy(stores.postgresUrl);
  const { pid, port, person, redis, stop } = await startProduct(stores, {
    workers: 1,
    databaseUrl: proxy.url,
    upstream: { url: await model.call('url') },
  });
  const clients = new Remote<Clients>('./clients.ts', import.meta.url);
  try {
    const conversationId = await person.converse();
    await Promise.all([person.ask(conversationId, 'measure'), model.call('asked')]);
    await model.call('recite', words);
    const room = conversationRoom(conversationId);
    const join = (times: number) => clients.call('joinLate', port, person.token, room, times);
    while ((await join(1)).length < words * wordLength) await sleep(50);
    // Somebody watches, so that joining does not begin with subscribing.
    const watcher = person.socket(conversationId);
    await watcher.connect();
    await join(warmUpJoins);

    const rows: number[][] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const used = async () => ({
        api: cpuUsOf(pid),
        redis: await cpuUsOfRedis(redis),
        trips: proxy.roundTrips,
        looks: (await callsOfRedis(redis)).get('smembers') ?? 0,
      });
      const before = await used();
      const { tookUs } = await join(joins);
      const after = await used();
      const of = (figure: keyof typeof before) => (after[figure] - before[figure]) / joins;
      rows.push([
        quantile(tookUs, 0.5) / 1000,
        quantile(tookUs, 0.99) / 1000,
        of('api') / 1000,
        of('redis') / 1000,
        of('looks'),
        of('trips'),
      ]);
      console.log(
        `round ${round}: ${rows
          .at(-1)
          ?.map((figure) => figure.toFixed(2))
          .join(', ')}`,
      );
    }
    const medians =
      rows[0]?.map((_, column) => median(rows.map((row) => row[column] ?? NaN)).toFixed(2)) ?? [];
    const head = [
      'join → answer p50 ms',
      'p99 ms',
      'api ms',
      'Redis ms',
      'reads of the answer from Redis',
      'round trips to Postgres',
    ];
    const { length } = await join(1);
    return `An answer of ${words.toLocaleString('en')} words that is being written, ${Math.round(length / 1000)} KB in the answer to \`join\`, one join after the other. Medians for a join, with its connection; ms of the api and of Redis are processor time.\n\n${table(head, [medians])}`;
  } finally {
    clients.end();
    model.end();
    await stop();
    proxy.close();
  }
}
