import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import express from 'express';
import { afterEach, expect, test } from 'vitest';
import { EventStream, type StreamHost } from '../../../src/gateway/event-stream.js';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

test('a client that takes nothing any more is cut off, one that is slow is not', async () => {
  const host: StreamHost = { maxPendingBytes: 1000, stalledMs: 300, streams: new Set() };
  const opened: EventStream[] = [];
  const app = express();
  app.get('/', (request, response) => {
    const session = { user: { id: 'ada', name: 'Ada' }, sessionId: null, expiresAt: null };
    const stream = new EventStream(request, response, session, host);
    stream.open();
    opened.push(stream);
    // More than a kernel holds.
    stream.write('x'.repeat(40_000_000));
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.close().closeAllConnections();
  });
  const ask = async (): Promise<Socket> => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    closers.push(() => socket.destroy());
    socket.on('error', () => undefined).pause();
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    const count = opened.length;
    while (opened.length === count) await new Promise((resolve) => setImmediate(resolve));
    return socket;
  };

  const slow = await ask();
  const sipping = setInterval(() => void slow.read(), 10);
  closers.push(() => {
    clearInterval(sipping);
  });
  await ask();
  const [slowStream, deadStream] = opened;
  await new Promise<void>((resolve) => {
    deadStream?.onClose(resolve);
  });
  expect(host.streams).toEqual(new Set([slowStream]));
  expect(slowStream?.congested).toBe(true);
});
