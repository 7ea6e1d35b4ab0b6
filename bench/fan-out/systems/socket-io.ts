import { createAdapter } from '@socket.io/redis-streams-adapter';
import { Emitter } from '@socket.io/redis-emitter';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';
import { ownPort } from '../../../test/support/own-port.js';
import { portOf } from '../../lib/port-of.js';
import { startServer } from '../server.js';
import { eventOf, roomNames, socketIoPath, type FanOutSystem } from '../system.js';

/** Socket.IO as it is usually run, written to through Redis. */
export const startSocketIo =
  (adapter: 'pub/sub' | 'streams'): FanOutSystem['start'] =>
  async ({ redisUrl }, rooms) => {
    const port = await ownPort();
    const server = await startServer('socket-io', port, portOf(redisUrl), adapter);
    const redis = new Redis(redisUrl);
    const names = roomNames(rooms);
    // The emitter is what is made for it; the other adapter has none, and a second server stands for it.
    const emitter =
      adapter === 'pub/sub' ? new Emitter(redis) : new Server({ adapter: createAdapter(redis) });
    return {
      pid: server.pid,
      doors: names.map((name) => ({
        by: 'web socket',
        port,
        path: socketIoPath,
        says: ['40', `420["join","${name}"]`],
        isIn: 'joined',
      })),
      write: async (room, text) => {
        const name = names[room] ?? '';
        emitter.to(name).emit('generation.chunk', eventOf(name, text));
        // Answered behind what was just sent.
        await redis.ping();
      },
      stop: async () => {
        await server.end();
        if (emitter instanceof Server) await emitter.of('/').adapter.close();
        redis.disconnect();
      },
    };
  };
