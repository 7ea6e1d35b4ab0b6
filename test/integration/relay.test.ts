import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { GenerationQueues } from '../../src/queue/generation-queue.js';
import type { WebhookQueue } from '../../src/queue/webhook-queue.js';
import { createLogger } from '../../src/lib/logger.js';
import { connectRedis, whenReady } from '../../src/redis/connect.js';
import { createKeys } from '../../src/redis/keys.js';
import { Lease } from '../../src/redis/lease.js';
import type { OutboxEvent, RoomLog } from '../../src/redis/room-log.js';
import type { Activity } from '../../src/service/activity.js';
import { Relay } from '../../src/service/relay.js';
import { relayStaleRooms } from '../../src/service/sweeps.js';
import { migrateDatabase, openStore, type Database, type Store } from '../../src/store/database.js';
import { outboxWrite, type NewOutboxRow } from '../../src/store/outbox.js';
import { outbox } from '../../src/store/schema/outbox.js';
import { writeTogether } from '../../src/store/write-together.js';
import { conversationRoom, type Room } from '../../src/wire/room.js';
import { Sweeper } from '../../workers/sweeper.js';
import { createTestDatabase, testKeyPrefix, testRedisUrl, type TestDatabase } from '../support/stores.js';

/** What is written is told: rooms together, each in its order, none held up by one that cannot be told. */

let database: TestDatabase;
let store: Store;
/** The store, which counts its transactions. */
let db: Database;
let transactions = 0;
let told: Map<Room, string[]>;
/** What happens before a room is told. */
let obstacle: (room: Room) => Promise<void>;

beforeAll(async () => {
  database = await createTestDatabase();
  await migrateDatabase(database.url);
  store = openStore({ url: database.url, maxConnections: 25 });
  const transaction: Database['transaction'] = (run, options) => {
    transactions += 1;
    return store.db.transaction(run, options);
  };
  db = Object.assign(Object.create(store.db) as Database, { transaction });
});
afterAll(async () => {
  await store.close();
  await database.dispose();
});
beforeEach(() => {
  told = new Map();
  transactions = 0;
  obstacle = () => Promise.resolve();
});

const log = createLogger({ level: 'silent', role: 'test' });

async function note(room: Room, events: readonly OutboxEvent[]): Promise<void> {
  await obstacle(room);
  told.set(room, [...(told.get(room) ?? []), ...events.map(({ data }) => data)]);
}

interface Told {
  tell?: RoomLog['tell'];
  queues?: Pick<GenerationQueues, 'add'>;
  webhooks?: Pick<WebhookQueue, 'add'>;
}

const relayOver = (redis: 'oneServer' | 'cluster', { tell = note, queues, webhooks }: Told = {}) =>
  new Relay({
    db,
    redis,
    roomLog: { tell } as unknown as RoomLog,
    activity: { note: () => undefined } as unknown as Activity,
    queues: queues as GenerationQueues,
    webhooks: webhooks as WebhookQueue,
    log,
  });

const someRooms = (count: number): [Room, ...Room[]] => {
  const rooms = Array.from({ length: count }, () => conversationRoom(randomUUID()));
  return rooms as [Room, ...Room[]];
};

const write = (room: Room, ...data: string[]) =>
  store.db.transaction((tx) =>
    writeTogether(tx, [outboxWrite(data.map((each) => ({ room, kind: 'event', type: 'x', data: each })))]),
  );

function hang() {
  let goOn: () => void = () => undefined;
  const hangs = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  return { hangs, goOn };
}

const untold = async () => (await store.db.select().from(outbox)).length;

test('rooms that are to be told at once are told in a few transactions, each in its order', async () => {
  const rooms = someRooms(50);
  const relay = relayOver('oneServer');
  await Promise.all(rooms.map((room) => write(room, '1', '2', '3')));
  for (const room of rooms) relay.request(room);
  await Promise.all(rooms.map((room) => write(room, '4', '5')));
  for (const room of rooms) relay.request(room);
  await relay.close();
  expect([...told.keys()].sort()).toEqual([...rooms].sort());
  for (const events of told.values()) expect(events).toEqual(['1', '2', '3', '4', '5']);
  expect(await untold()).toBe(0);
  expect(transactions).toBeLessThan(10);
});

test('a room that cannot be told is tried again, and the others of its transaction are told once', async () => {
  const [bad, ...good] = someRooms(10);
  const relay = relayOver('oneServer');
  await Promise.all([bad, ...good].map((room) => write(room, '1', '2')));
  let failures = 0;
  obstacle = (room) => {
    if (room !== bad || failures === 2) return Promise.resolve();
    failures += 1;
    return Promise.reject(new Error('no Redis'));
  };
  for (const room of [bad, ...good]) relay.request(room);
  await relay.flush(bad, new AbortController().signal);
  expect(failures).toBe(2);
  for (const room of [bad, ...good]) expect(told.get(room)).toEqual(['1', '2']);
  expect(await untold()).toBe(0);
});

test('a room with very many to be told holds up no other', async () => {
  const [full, ...others] = someRooms(10);
  const relay = relayOver('oneServer');
  const many = Array.from({ length: 500 }, (_, n) => String(n));
  await write(full, ...many);
  await Promise.all(others.map((room) => write(room, '1')));
  const order: Room[] = [];
  obstacle = (room) => {
    order.push(room);
    return Promise.resolve();
  };
  for (const room of [full, ...others]) relay.request(room);
  await relay.close();
  expect(told.get(full)).toEqual(many);
  const last = Math.max(...others.map((room) => order.indexOf(room)));
  expect(order.slice(0, last).filter((room) => room === full).length).toBeLessThan(3);
});

test('who waits for a room that cannot be told is in no hurry, and leaves at once', async () => {
  const [room] = someRooms(1);
  const relay = relayOver('oneServer');
  await write(room, '1');
  await relay.close(); // from now on nothing is tried again by itself
  let tries = 0;
  obstacle = () => {
    tries += 1;
    return Promise.reject(new Error('no Redis'));
  };
  const leaving = new AbortController();
  const flushed = relay.flush(room, leaving.signal);
  await sleep(1000);
  expect(tries).toBeGreaterThan(2);
  expect(tries).toBeLessThan(20);
  const { hangs, goOn } = hang();
  obstacle = () => hangs;
  await sleep(1500); // it hangs by now
  leaving.abort(new Error('left'));
  await expect(flushed).rejects.toThrow('left');
  goOn();
  await relay.close();
});

test('who waits for a room that another process tells asks for it ever more seldom', async () => {
  const [room] = someRooms(1);
  const relay = relayOver('oneServer');
  await write(room, '1');
  const { hangs, goOn } = hang();
  const { hangs: locked, goOn: isLocked } = hang();
  const other = store.db.transaction(async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${room}, 0))`);
    isLocked();
    await hangs;
    await tx.delete(outbox).where(eq(outbox.room, room));
  });
  await locked;
  const flushed = relay.flush(room, new AbortController().signal);
  await sleep(600);
  expect(transactions).toBeGreaterThan(3);
  expect(transactions).toBeLessThan(20);
  goOn();
  await Promise.all([other, flushed]);
  expect(told.get(room)).toBeUndefined();
});

test('jobs and webhooks of a room are added at once, behind its events, and again where one has failed', async () => {
  const [room] = someRooms(1);
  const { hangs, goOn } = hang();
  const added: string[] = [];
  const outcomes: Record<string, (() => Promise<void>)[]> = {
    slow: [() => hangs],
    failing: [() => Promise.reject(new Error('no Redis'))],
  };
  const add = async (name: string) => {
    expect(told.get(room)).toContain('event');
    added.push(name);
    await outcomes[name]?.shift()?.();
  };
  const relay = relayOver('oneServer', {
    queues: { add: ({ job }) => add(job.generationId) },
    webhooks: { add: ({ deliveryId }) => add(deliveryId) },
  });
  const job = (generationId: string) => ({
    kind: 'job',
    type: 'job',
    data: JSON.stringify({ job: { generationId } }),
  });
  const webhook = (deliveryId: string) => ({
    kind: 'webhook',
    type: 'x',
    data: JSON.stringify({ deliveryId }),
  });
  const event = { kind: 'event', type: 'x', data: 'event' };
  await store.db.transaction((tx) =>
    writeTogether(tx, [
      outboxWrite(
        [job('slow'), job('failing'), webhook('hook'), event].map(
          (row) => ({ room, ...row }) as NewOutboxRow,
        ),
      ),
    ]),
  );
  relay.request(room);
  await expect.poll(() => added).toEqual(['slow', 'failing', 'hook']);
  await sleep(300); // it would have been tried again by now
  expect(added).toHaveLength(3);
  goOn();
  await relay.flush(room, new AbortController().signal);
  expect(added).toEqual(['slow', 'failing', 'hook', 'slow', 'failing', 'hook']);
  expect(await untold()).toBe(0);
});

/** Writes what its process did not come to tell. */
async function writeStale(room: Room): Promise<void> {
  await write(room, '1');
  const createdAt = new Date(Date.now() - 60_000);
  await store.db.update(outbox).set({ createdAt }).where(eq(outbox.room, room));
}

test('who sweeps, but cannot tell a room, leaves it to a process that can', async () => {
  const [room] = someRooms(1);
  await writeStale(room);
  const redis = connectRedis(testRedisUrl(), 'commands', log);
  await whenReady(redis, 5000);
  const key = createKeys(testKeyPrefix()).sweeper;
  const everyMs = 100;
  const sweep = (relay: Relay) => {
    const sweeper = new Sweeper({
      sweeps: [{ name: 'relay', everyMs, run: () => relayStaleRooms({ db, relay }) }],
      lease: new Lease({ redis, key, ttlMs: 60_000 }),
      log,
      everyMs,
    });
    sweeper.start();
    return sweeper;
  };
  let failures = 0;
  const failing = () => {
    failures += 1;
    return Promise.reject(new Error('no way to Redis'));
  };
  const sweepers = [sweep(relayOver('oneServer', { tell: failing }))];
  try {
    await expect.poll(() => failures).toBeGreaterThan(0);
    sweepers.push(sweep(relayOver('oneServer')));
    await expect.poll(() => told.get(room), { timeout: 8000 }).toEqual(['1']);
  } finally {
    for (const sweeper of sweepers) await sweeper.close();
    redis.disconnect();
  }
});

test('a sweep does not wait for a room that gets no answer', async () => {
  const [room, other] = someRooms(2) as [Room, Room];
  await Promise.all([writeStale(room), writeStale(other)]);
  const relay = relayOver('cluster');
  const { hangs, goOn } = hang();
  obstacle = (each) => (each === room ? hangs : Promise.resolve());
  const begun = performance.now();
  await expect(relayStaleRooms({ db, relay })).rejects.toThrow('a room could not be told');
  expect(performance.now() - begun).toBeLessThan(5000);
  expect(told.get(other)).toEqual(['1']);
  goOn();
  await relay.close();
  await relayStaleRooms({ db, relay });
  expect(told.get(room)).toEqual(['1']);
});

test('on a cluster a room that hangs holds up no other', async () => {
  const [slow, ...others] = someRooms(10);
  const relay = relayOver('cluster');
  await Promise.all([slow, ...others].map((room) => write(room, '1')));
  const { hangs, goOn } = hang();
  obstacle = (room) => (room === slow ? hangs : Promise.resolve());
  for (const room of [slow, ...others]) relay.request(room);
  const { signal } = new AbortController();
  await Promise.all(others.map((room) => relay.flush(room, signal)));
  expect([...told.keys()].sort()).toEqual([...others].sort());
  goOn();
  await relay.close();
  expect(told.get(slow)).toEqual(['1']);
});
