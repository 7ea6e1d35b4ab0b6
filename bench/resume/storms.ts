import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import pg from 'pg';
import type { Room } from '../../src/wire/room.js';
import { Person } from '../../test/support/person.js';
import { chunkText } from '../fan-out/work.js';
import { makeRooms } from '../lib/many-rooms.js';
import { openPostgresProxy } from '../../test/support/postgres-proxy.js';
import { startProduct } from '../lib/product.js';
import { Remote } from '../lib/remote.js';
import type { RoomWriter } from '../lib/room-writer.js';
import { median, quantile, table } from '../lib/statistics.js';
import { callsOfRedis, cpuUsOf } from '../lib/usage.js';
import type { PartOptions } from '../part.js';
import type { Clients } from './clients.js';

const people = 500;
const stormsInRound = 5;
const chunksPerSecond = 30;
/** How long they are away. */
const awayMs = 500;
const settleMs = 3000;
/** `read.lua` calls it twice. */
const rangesOfRead = 2;

interface Storm {
  backP50Ms: number;
  backP99Ms: number;
  backMaxMs: number;
  othersP50Ms: number;
  othersP99Ms: number;
  calmP50Ms: number;
  calmP99Ms: number;
  reads: number;
  roundTrips: number;
  apiMs: number;
}

/** 500 people in a room whose connections break at once, and who come back at once, while others are told of their room. */
export async function storms({ stores, rounds }: PartOptions): Promise<string> {
  const proxy = await openPostgresProxy(stores.postgresUrl);
  const { system, pid, port, person, writer, redis, stop } = await startProduct(stores, {
    databaseUrl: proxy.url,
  });
  const many = new Remote<Clients>('./clients.ts', import.meta.url);
  const other = new Remote<Clients>('./clients.ts', import.meta.url);
  const writing = new AbortController();
  try {
    const [room, calmRoom] = await makeRooms(stores.postgresUrl, person.user.id, 2);
    if (room === undefined || calmRoom === undefined) throw new Error('there are no rooms');
    for (const each of [room, calmRoom]) await writer.open(each);
    await many.call('watch', port, await tokensOfMembers(system.api(), stores.postgresUrl, room), room);
    await other.call('watch', port, [person.token], calmRoom);
    const written = new Map<Room, number>();
    const ended = Promise.all([room, calmRoom].map((each) => write(writer, each, written, writing.signal)));

    const one = async (): Promise<Storm> => {
      await sleep(settleMs);
      const calm = (await other.call('report')).latencyUs;
      await many.call('cut');
      await sleep(awayMs);
      const before = { ranges: await rangesOf(redis), trips: proxy.roundTrips, api: cpuUsOf(pid) };
      await other.call('measure');
      const { tookUs, snapshots } = await many.call('comeBack', written.get(room) ?? 0);
      const others = (await other.call('report')).latencyUs;
      const { disordered } = await many.call('report');
      if (disordered + snapshots > 0)
        throw new Error(`${disordered} chunks out of order, ${snapshots} snapshots`);
      return {
        backP50Ms: quantile(tookUs, 0.5) / 1000,
        backP99Ms: quantile(tookUs, 0.99) / 1000,
        backMaxMs: quantile(tookUs, 1) / 1000,
        othersP50Ms: quantile(others, 0.5) / 1000,
        othersP99Ms: quantile(others, 0.99) / 1000,
        calmP50Ms: quantile(calm, 0.5) / 1000,
        calmP99Ms: quantile(calm, 0.99) / 1000,
        reads: ((await rangesOf(redis)) - before.ranges) / rangesOfRead,
        roundTrips: proxy.roundTrips - before.trips,
        apiMs: (cpuUsOf(pid) - before.api) / 1000,
      };
    };
    const taken: Storm[] = [];
    for (let storm = 1; storm <= rounds * stormsInRound; storm += 1) {
      taken.push(await one());
      console.log(`storm ${storm}: ${JSON.stringify(taken.at(-1))}`);
    }
    writing.abort();
    await ended;
    return report(taken);
  } finally {
    writing.abort();
    many.end();
    other.end();
    await stop();
    proxy.close();
  }
}

function report(taken: readonly Storm[]): string {
  const of = (figure: keyof Storm, digits = 1) => median(taken.map((storm) => storm[figure])).toFixed(digits);
  const times = table(
    ['time, ms', 'p50', 'p99', 'max'],
    [
      ['connecting → live and caught up', of('backP50Ms'), of('backP99Ms'), of('backMaxMs')],
      ['chunk of another room, meanwhile', of('othersP50Ms'), of('othersP99Ms'), ''],
      ['chunk of another room, before', of('calmP50Ms'), of('calmP99Ms'), ''],
    ],
  );
  const costs = table(
    ['reads of the log', 'round trips to Postgres', 'api, ms of processor time'],
    [[of('reads', 0), of('roundTrips', 0), of('apiMs', 0)]],
  );
  return `${people} people in one room, ${chunksPerSecond} chunks a second in it and in another one; all are cut off for ${awayMs} ms and come back with their cursors at once. Medians of ${taken.length} storms.\n\n${times}\n\n${costs}`;
}

const rangesOf = async (redis: Redis) => (await callsOfRedis(redis)).get('xrange') ?? 0;

/** Sessions of so many people, all of them members. */
async function tokensOfMembers(api: { url: string }, databaseUrl: string, room: Room): Promise<string[]> {
  const members: Person[] = [];
  while (members.length < people)
    members.push(...(await Promise.all(Array.from({ length: 20 }, () => Person.signIn(api, 'Member')))));
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(
    `insert into members (conversation_id, user_id, role) select $1, unnest($2::text[]), 'member'`,
    [room.slice(room.indexOf(':') + 1), members.map(({ user }) => user.id)],
  );
  await client.end();
  return members.map(({ token }) => token);
}

/** Writes to a room until it is told to stop. */
async function write(
  writer: RoomWriter,
  room: Room,
  written: Map<Room, number>,
  signal: AbortSignal,
): Promise<void> {
  for (let n = 0; !signal.aborted; n += 1) {
    await writer.write(room, chunkText(n));
    written.set(room, n);
    await sleep(1000 / chunksPerSecond);
  }
}
