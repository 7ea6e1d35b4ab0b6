import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { io } from 'socket.io-client';
import { afterEach, expect, test, vi } from 'vitest';
import type { Session } from '../../../src/domain/session.js';
import type { Gateway } from '../../../src/gateway/gateway.js';
import { createSocketServer } from '../../../src/gateway/socket.js';
import type { SocketSink } from '../../../src/gateway/socket-sink.js';
import { Turns } from '../../../src/lib/turns.js';

/** Clocks that run. */
const clocks = vi.hoisted(() => ({ running: 0 }));

vi.mock('../../../src/lib/long-timeout.js', () => ({
  setLongTimeout: () => {
    clocks.running += 1;
    return () => (clocks.running -= 1);
  },
}));

const session: Session = {
  user: { id: 'ada', name: 'Ada' },
  sessionId: null,
  expiresAt: new Date(Date.now() + 3_600_000),
};

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

test('a fresh token that is found good when its socket has gone starts no clock', async () => {
  let good: (session: Session) => void = () => undefined;
  const asked = vi.fn();
  const gateway: Partial<Gateway> = {
    log: pino({ level: 'silent' }),
    maxPendingBytes: 1000,
    sockets: new Set<SocketSink>(),
    turns: new Turns(1),
    authenticate: (token) => {
      if (token === 'first') return Promise.resolve(session);
      asked();
      return new Promise((resolve) => {
        good = resolve;
      });
    },
  };
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sockets = createSocketServer(server, gateway as Gateway, { corsOrigins: [], straight: true });
  const client = io(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    forceNew: true,
    reconnection: false,
    transports: ['websocket'],
    auth: { token: 'first' },
  });
  closers.push(
    () => client.disconnect(),
    () => sockets.drain(),
  );
  await once(client as unknown as NodeJS.EventEmitter, 'connect');
  expect(clocks.running).toBe(2);

  client.emit('authenticate', { token: 'fresh' });
  await vi.waitFor(() => {
    expect(asked).toHaveBeenCalledOnce();
  });
  client.disconnect();
  await vi.waitFor(() => {
    expect(gateway.sockets?.size).toBe(0);
  });
  expect(clocks.running).toBe(0);
  good(session);
  await new Promise((resolve) => setImmediate(resolve));
  expect(clocks.running).toBe(0);
});
