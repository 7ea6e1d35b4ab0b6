import { randomUUID } from 'node:crypto';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createAdapter } from '@socket.io/redis-streams-adapter';
import { Emitter } from '@socket.io/redis-emitter';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';
import { conversationRoom, type Room } from '../../src/wire/room.js';
import { ownPort } from '../../test/support/own-port.js';
import { Person } from '../../test/support/person.js';
import { startSystem } from '../../test/support/system.js';
import { chunkEvent } from '../lib/chunk-event.js';
import { RoomWriter } from '../lib/room-writer.js';
import type { Stores } from '../part.js';
import type { Door } from './work.js';

/** A system that is running, with rooms that clients may come into. */
export interface RunningSystem {
  /** The process that writes to the clients. */
  pid: number;
  /** One for each room. */
  doors: readonly Door[];
  /** Writes a chunk to a room; in order, and resolved when the system has taken it. */
  write: (room: number, n: number, text: string) => Promise<void>;
  stop: () => Promise<void>;
}

export interface FanOutSystem {
  name: string;
  start: (stores: Stores, rooms: number) => Promise<RunningSystem>;
}

export const systems: readonly FanOutSystem[] = [
  { name: 'bare ws', start: startBareWs },
  { name: 'tokencast', start: (stores, rooms) => startTokencast(stores, rooms, 'true') },
  { name: 'tokencast, by the engine', start: (stores, rooms) => startTokencast(stores, rooms, 'false') },
  { name: 'Socket.IO, redis-adapter', start: (stores, rooms) => startSocketIo(stores, rooms, 'pub/sub') },
  { name: 'Socket.IO, streams adapter', start: (stores, rooms) => startSocketIo(stores, rooms, 'streams') },
];

const socketIoPath = '/socket.io/?EIO=4&transport=websocket';
const generationId = randomUUID();
/** As long as the product's. */
const roomNames = (rooms: number) => Array.from({ length: rooms }, () => conversationRoom(randomUUID()));
const portOf = (url: string) => Number(new URL(url).port);

async function fork(program: string, ...args: (string | number)[]): Promise<ChildProcess & { pid: number }> {
  const path = fileURLToPath(new URL(`./${program}.ts`, import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', path, ...args.map(String)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await once(child, 'message');
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} has no process`);
  process.once('exit', () => child.kill('SIGKILL'));
  return Object.assign(child, { pid });
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function startBareWs(_stores: Stores, rooms: number): Promise<RunningSystem> {
  const [port, feedPort] = [await ownPort(), await ownPort()];
  const child = await fork('bare-ws', port, feedPort);
  const feed = createConnection({ port: feedPort, host: '127.0.0.1', noDelay: true });
  await once(feed, 'connect');
  const names = roomNames(rooms);
  return {
    pid: child.pid,
    doors: names.map((name) => ({ port, path: `/${name}`, says: [], isIn: 'joined' })),
    write: (room, _n, text) =>
      new Promise((resolve) => {
        feed.write(
          `${names[room] ?? ''} ${JSON.stringify(chunkEvent(names[room] ?? '', generationId, text))}\n`,
          () => {
            resolve();
          },
        );
      }),
    stop: async () => {
      feed.destroy();
      await end(child);
    },
  };
}

async function startSocketIo(
  { redisUrl }: Stores,
  rooms: number,
  adapter: 'pub/sub' | 'streams',
): Promise<RunningSystem> {
  const port = await ownPort();
  const child = await fork('socket-io', port, portOf(redisUrl), adapter);
  const redis = new Redis(redisUrl);
  const names = roomNames(rooms);
  // The emitter is what is made for it; the other adapter has none, and a second server stands for it.
  const emitter = adapter === 'pub/sub' ? new Emitter(redis) : new Server({ adapter: createAdapter(redis) });
  return {
    pid: child.pid,
    doors: names.map((name) => ({
      port,
      path: socketIoPath,
      says: ['40', `420["join","${name}"]`],
      isIn: 'joined',
    })),
    write: async (room, _n, text) => {
      const name = names[room] ?? '';
      emitter.to(name).emit('generation.chunk', chunkEvent(name, generationId, text));
      // Answered behind what was just sent.
      await redis.ping();
    },
    stop: async () => {
      await end(child);
      if (emitter instanceof Server) await emitter.of('/').adapter.close();
      redis.disconnect();
    },
  };
}

/** The product as it ships: an api with all that it does for a room; written to as a worker does. */
async function startTokencast(
  { redisUrl, postgresUrl }: Stores,
  rooms: number,
  straight: 'true' | 'false',
): Promise<RunningSystem> {
  const env = { SOCKET_STRAIGHT_FRAMES: straight, LOG_LEVEL: 'warn' };
  const system = await startSystem({ workers: 0, redisUrl, databaseUrl: postgresUrl, env });
  const api = system.api();
  const person = await Person.signIn(api, 'Bench');
  const names: Room[] = [];
  for (let n = 0; n < rooms; n += 1) names.push(conversationRoom(await person.converse()));
  const writer = new RoomWriter(redisUrl, system.keyPrefix);
  for (const room of names) await writer.open(room);
  return {
    pid: api.pid ?? 0,
    doors: names.map((room) => ({
      port: portOf(api.url),
      path: socketIoPath,
      says: [`40${JSON.stringify({ token: person.token })}`, `420${JSON.stringify(['join', { room }])}`],
      isIn: '"ok":true',
    })),
    write: (index, _n, text) => writer.write(names[index] ?? 'user:nobody', text),
    stop: async () => {
      writer.close();
      await system.stop();
    },
  };
}
