import { Redis } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { io } from 'socket.io-client';
import { expect, onTestFinished, test } from 'vitest';
import { metric, metricsOf } from '../support/metrics.js';
import { openRoughProxy } from '../support/rough-proxy.js';
import { conversationRoom } from '../../src/wire/room.js';
import type { JoinAck } from '../../src/wire/socket-events.js';
import { unboundedKeys } from './unbounded-keys.js';
import { eventually, setStage, type Stage } from './stage.js';

const sockets = 2000;
const waveSize = 100;
/**
 * Some poll, in the first waves: of one that is closed while it does not ask, Engine.IO keeps a timer for 30 s
 * (`closeTimeout` in its transports/polling.ts), in case that it comes for the goodbye.
 */
const wavesWithPolling = 2;
const letGoMs = 35_000;

const leftBehind = [
  'tokencast_sockets',
  'tokencast_event_streams',
  'tokencast_watchers',
  'tokencast_present',
  'tokencast_rooms_watched',
  'tokencast_subscriptions',
  'tokencast_clients_behind',
  'tokencast_pending_bytes',
];

test('2,000 sockets that connect, join and vanish leave nothing behind', async () => {
  const stage = await setStage({ workers: 0 });
  const { system, ada } = stage;
  const api = system.api();
  const redis = new Redis(system.redisUrl);
  onTestFinished(() => {
    redis.disconnect();
  });
  const rooms = await Promise.all(
    Array.from({ length: 20 }, async () => conversationRoom(await ada.converse())),
  );
  const before = await atRest(() => heldForClients(stage));
  let joined = 0;
  for (let wave = 0; wave < sockets / waveSize; wave += 1) {
    const proxy = await openRoughProxy(api.url);
    const vanishing = Array.from({ length: waveSize }, async (_, i) => {
      const room = rooms[(wave + i) % rooms.length] ?? '';
      const socket = io(proxy.url, {
        forceNew: true,
        reconnection: false,
        transports: [wave < wavesWithPolling && i % 3 === 2 ? 'polling' : 'websocket'],
        auth: { token: ada.token },
      });
      await new Promise<void>((resolve) => {
        socket.once('connect', resolve);
        socket.once('connect_error', () => {
          resolve();
        });
      });
      const join = new Promise<void>((resolve) => {
        socket.emit('join', { room }, (ack: JoinAck) => {
          if (ack.ok) joined += 1;
          resolve();
        });
        socket.once('disconnect', () => {
          resolve();
        });
      });
      // Some go while their join is under way, some say goodbye, the rest is cut off with the proxy.
      if (i % 4 === 0) socket.io.engine.close();
      else if (i % 4 === 1) socket.emit('typing', { room, typing: true }, () => socket.disconnect());
      await join;
      // And as many event streams, which are given up at any moment.
      const gone = new AbortController();
      const stream = fetch(`${api.url}/v1/events?room=${room}`, {
        headers: { authorization: `Bearer ${ada.token}` },
        signal: gone.signal,
      }).catch(() => undefined);
      await sleep(i % 8);
      gone.abort();
      await stream;
      return socket;
    });
    const all = await Promise.all(vanishing);
    await proxy.close();
    for (const socket of all) socket.disconnect();
  }
  expect(joined).toBeGreaterThan(sockets / 2);

  await eventually(async () => {
    const now = await metricsOf(api);
    return leftBehind.every((name) => now.get(name) === 0);
  });
  // Nobody waits for Redis to have unsubscribed: it may be behind what the api says of itself.
  await eventually(async () => {
    const channels = (await redis.call('PUBSUB', 'SHARDCHANNELS', `${system.keyPrefix}*`)) as string[];
    return channels.length === 0;
  });
  await eventually(async () => {
    const keys = await redis.keys(`${system.keyPrefix}:*:presence`);
    return keys.length === 0;
  });
  expect(await unboundedKeys(redis, system.keyPrefix)).toEqual([]);
  await expect.poll(() => heldForClients(stage), { timeout: letGoMs }).toEqual(before);
}, 120_000);

/**
 * What the api holds besides what is its own or still the clients': every connection but those to Postgres (as many as its
 * load has asked for) and those that this process keeps open to it; every timer but the one of each resting connection to
 * Postgres.
 */
async function heldForClients({ system, sql }: Stage): Promise<Record<'connections' | 'timers', number>> {
  const api = system.api();
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int from pg_stat_activity
    where datname = current_database() and application_name = 'tokencast'`;
  const toPostgres = row?.count ?? NaN;
  const metrics = await metricsOf(api);
  const active = (type: string) => metrics.get(`nodejs_active_resources{type="${type}"}`) ?? 0;
  return {
    connections: active('TCPSocketWrap') - toPostgres - connectionsTo(api),
    timers: active('Timeout') - toPostgres,
  };
}

/** The connections of this process to an address, those that its `fetch` keeps for later among them. */
function connectionsTo({ url }: { url: string }): number {
  const { libuv } = process.report.getReport() as unknown as {
    libuv: { type: string; remoteEndpoint?: { port: number } | null }[];
  };
  const port = Number(new URL(url).port);
  return libuv.filter(({ type, remoteEndpoint }) => type === 'tcp' && remoteEndpoint?.port === port).length;
}

/** What is found again and again: what a request leaves running for a moment is over then. */
async function atRest<T>(look: () => Promise<T>): Promise<T> {
  let found = await look();
  for (let same = 0; same < 10;) {
    const again = await look();
    same = isDeepStrictEqual(found, again) ? same + 1 : 0;
    found = again;
  }
  return found;
}

test('a join that a later leave or join overtakes is not a join', async () => {
  const { system, ada } = await setStage({ workers: 0 });
  const api = system.api();
  const room = conversationRoom(await ada.converse());
  const socket = io(api.url, { forceNew: true, transports: ['websocket'], auth: { token: ada.token } });
  onTestFinished(() => {
    socket.disconnect();
  });
  const emit = (event: string, payload: object) =>
    new Promise<JoinAck>((resolve) => {
      socket.emit(event, payload, resolve);
    });
  const [first, second] = await Promise.all([emit('join', { room }), emit('join', { room })]);
  expect(first).toMatchObject({ ok: false, error: { code: 'unavailable' } });
  expect(second).toMatchObject({ ok: true, resumed: false });
  expect(await metric(api, 'tokencast_watchers')).toBe(1);

  const [join, leave] = await Promise.all([emit('join', { room }), emit('leave', { room })]);
  expect(join).toMatchObject({ ok: false, error: { code: 'unavailable' } });
  expect(leave).toMatchObject({ ok: true });
  expect(await metric(api, 'tokencast_watchers')).toBe(0);
  expect(await metric(api, 'tokencast_present')).toBe(0);

  // Whoever wants it after all gets it.
  expect(await emit('join', { room })).toMatchObject({ ok: true });
  expect(await metric(api, 'tokencast_watchers')).toBe(1);
});

test('who watched through an api that was killed is gone from the presence within 15 s', async () => {
  const { system, ada } = await setStage({ apis: 2, workers: 0 });
  const conversation = await ada.converse();
  const socket = ada.socket(conversation);
  await socket.connect();
  const away = ada.via(system.api(1));
  const [one, two] = [away.socket(conversation), away.eventStream(conversation)];
  await Promise.all([one.connect(), two.connect()]);
  const connections = () => socket.of('presence').at(-1)?.users[0]?.connections;
  await socket.until(() => connections() === 3);
  system.api(1).kill('SIGKILL');
  const killedAt = performance.now();
  await socket.until(() => connections() === 1);
  expect(performance.now() - killedAt).toBeLessThan(15_000);
  const late = ada.socket(conversation);
  await late.connect();
  expect(late.of('snapshot')).toMatchObject([{ snapshot: { users: [{ connections: 2 }] } }]);
}, 40_000);

test("a generation's stream holds that generation alone, and nothing of who is there", async () => {
  const { upstream, ada } = await setStage();
  const conversation = await ada.converse();
  const socket = ada.socket(conversation);
  await socket.connect();
  const { generation } = await ada.ask(conversation, 'Who is here?');
  const request = await upstream.nextRequest();
  const stream = ada.generationStream(generation.id);
  await stream.connect();
  await socket.waitFor('presence', ({ users }) => users[0]?.connections === 2);
  request.text('You are.').stop();
  await stream.ended(generation.id);
  expect(stream.of('presence')).toEqual([]);
}, 40_000);
