import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { Server, type Socket as ServerSocket } from 'socket.io';
import { io as newest, type Socket } from 'socket.io-client';
import { io as before } from 'socket.io-client-4-7';
import { io as beforeThat } from 'socket.io-client-4-6';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Frame } from '../../../src/gateway/frame.js';
import { SocketSink, type SocketHost } from '../../../src/gateway/socket-sink.js';
import { StraightPaths } from '../../../src/gateway/straight-path.js';

const libraries = [newest, before, beforeThat] as unknown as readonly (typeof newest)[];
const ways = [['websocket'], ['polling', 'websocket'], ['polling']];

/** A client, and what it was sent and has got, in order; what is sent is numbered. */
interface Client {
  socket: Socket;
  sink: SocketSink;
  server: ServerSocket;
  sent: string[];
  got: string[];
  polls: boolean;
  paused: boolean;
  closed: boolean;
}

const paths = new StraightPaths();
const host: SocketHost = { maxPendingBytes: 1e9, sockets: new Set() };
const server = createServer();
const io = new Server(server, { wsEngine: paths.wsEngine, pingInterval: 150 });
let ids = 0;
io.engine.generateId = (request) => {
  const id = `client-${(ids += 1)}`;
  paths.named(request, id);
  return id;
};
/** How many frames went the straight way. */
let straight = 0;
let url = '';

beforeAll(async () => {
  const wrapped = paths.to.bind(paths);
  paths.to = (...of) => {
    const path = wrapped(...of);
    const take = path.take.bind(path);
    path.take = (frame) => {
      const taken = take(frame);
      straight += taken ? 1 : 0;
      return taken;
    };
    return path;
  };
  await once(server.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => io.close());

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

async function connect(library: number, way: number): Promise<Client> {
  const transports = ways[way % ways.length] ?? [];
  const socket = (libraries[library % libraries.length] ?? newest)(url, {
    transports,
    forceNew: true,
    reconnection: false,
  });
  const [serverSocket] = (await once(io, 'connection')) as [ServerSocket];
  const sink = new SocketSink(serverSocket, host, paths);
  const got: string[] = [];
  for (const type of ['room', 'own', 'binary'])
    socket.on(type, (data: unknown) => {
      const { n } = (Buffer.isBuffer(data) ? JSON.parse(data.toString()) : data) as { n: string };
      got.push(n);
    });
  const polls = !transports.includes('websocket');
  // As the answer to a join: the straight way is open behind the first packet of the engine.
  serverSocket.emit('own', { n: 'joined' });
  return { socket, sink, server: serverSocket, sent: ['joined'], got, polls, paused: false, closed: false };
}

/** Stops reading from the connection of a WebSocket client. */
function pause(client: Client, paused: boolean): void {
  const { transport } = client.socket.io.engine as unknown as {
    transport: { name: string; ws?: { pause(): void; resume(): void } };
  };
  if (transport.name !== 'websocket' || !transport.ws) return;
  if (paused) transport.ws.pause();
  else transport.ws.resume();
  client.paused = paused;
}

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('room' as const), size: fc.nat(5) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('own' as const), who: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('binary' as const), who: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pause' as const), who: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const), who: fc.nat(9) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('join' as const), library: fc.nat(2), way: fc.nat(2) }),
  },
  { weight: 6, arbitrary: fc.constant({ do: 'turn' as const }) },
);

test('whatever way events take, official clients get all of them in the order in which they were sent', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 40, maxLength: 160 }), async (steps) => {
      const all: Client[] = [];
      for (let at = 0; at < 3; at += 1) all.push(await connect(at, at));
      let n = 0;
      const open = () => all.filter(({ closed }) => !closed);
      const one = (who: number) => open()[who % Math.max(1, open().length)];
      for (const step of steps) {
        const id = String((n += 1));
        if (step.do === 'turn') await nextTurn();
        if (step.do === 'join') all.push(await connect(step.library, step.way));
        if (step.do === 'room') {
          const frame = new Frame(
            'room',
            undefined,
            JSON.stringify({ n: id, text: 'é'.repeat(7 ** step.size) }),
          );
          for (const { sink, sent } of open()) {
            sent.push(id);
            sink.send(frame);
          }
        }
        if (!('who' in step)) continue;
        const client = one(step.who);
        if (!client) continue;
        if (step.do === 'own') client.server.emit('own', { n: id });
        if (step.do === 'binary') client.server.emit('binary', Buffer.from(JSON.stringify({ n: id })));
        if (step.do === 'own' || step.do === 'binary') client.sent.push(id);
        if (step.do === 'pause') pause(client, !client.paused);
        if (step.do === 'close' && open().length > 1) {
          pause(client, false);
          client.closed = true;
          client.sink.close();
        }
      }
      for (const client of open()) {
        if (client.paused) pause(client, false);
        client.server.emit('own', { n: 'end' });
        client.sent.push('end');
      }
      for (const { socket, sent, got, closed, polls } of all) {
        // A poll that is under way when its transport closes may be lost: such a client comes back with its cursor.
        if (closed && polls) expect(sent.slice(0, got.length)).toEqual(got);
        else await expect.poll(() => got, { interval: 5 }).toEqual(sent);
        socket.disconnect();
      }
    }),
    { numRuns: 15 },
  );
  expect(straight).toBeGreaterThan(100);
}, 60_000);

test('clients of a room share the bytes of a turn, written at once', async () => {
  const [a, b] = [await connect(0, 0), await connect(1, 0)];
  await expect.poll(() => [...a.got, ...b.got]).toEqual(['joined', 'joined']);
  const written: unknown[][] = [];
  for (const { server } of [a, b]) {
    const { connection } = server.conn.request as unknown as {
      connection: { write: (data: Buffer) => boolean };
    };
    const write = connection.write.bind(connection);
    const writes: Buffer[] = [];
    written.push(writes);
    connection.write = (data) => {
      if (data.includes('"room"')) writes.push(data);
      return write(data);
    };
  }
  for (const n of ['1', '2', '3']) {
    const frame = new Frame('room', undefined, JSON.stringify({ n }));
    for (const { sink } of [a, b]) sink.send(frame);
  }
  await expect
    .poll(() => [a.got, b.got])
    .toEqual([
      ['joined', '1', '2', '3'],
      ['joined', '1', '2', '3'],
    ]);
  expect(written.map(({ length }) => length)).toEqual([1, 1]);
  expect(written[0]?.[0]).toBe(written[1]?.[0]);
  for (const { socket } of [a, b]) socket.disconnect();
});
