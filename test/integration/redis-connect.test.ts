import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import { connectRedis, whenReady } from '../../src/redis/connect.js';
import { testRedisUrl } from '../support/stores.js';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** A way to Redis on which the first connection is taken and never answered, as by a machine that has just died. */
async function silentAtFirst(): Promise<string> {
  const { hostname, port } = new URL(testRedisUrl());
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    const isFirst = sockets.length === 0;
    sockets.push(socket.on('error', () => undefined));
    if (isFirst) return;
    const upstream = connect(Number(port), hostname).on('error', () => undefined);
    sockets.push(upstream);
    socket.pipe(upstream).pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A cluster has more than one way to it. */
const oneServer = testRedisUrl().startsWith('redis:');

test.runIf(oneServer).for(['commands', 'appends', 'subscriber', 'blocking'] as const)(
  'a connection for %s that is never answered is given up, and made anew',
  async (purpose) => {
    const redis = connectRedis(await silentAtFirst(), purpose, pino({ level: 'silent' }));
    closers.push(() => {
      redis.disconnect();
    });
    await whenReady(redis, 10_000);
    expect(await redis.ping()).toBe('PONG');
  },
);
