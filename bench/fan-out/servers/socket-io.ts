/** Socket.IO as it is usually run: rooms, and one of the two adapters for Redis. */
import { createServer } from 'node:http';
import { createAdapter } from '@socket.io/redis-adapter';
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';
import { tellReady } from '../ready.js';

const [port, redisPort, adapter] = process.argv.slice(2);
const redis = new Redis(Number(redisPort));
const io = new Server({
  adapter: adapter === 'streams' ? createStreamsAdapter(redis) : createAdapter(redis, redis.duplicate()),
});
io.on('connection', (socket) => {
  socket.on('join', (room: string, done: (answer: string) => void) => {
    void socket.join(room);
    done('joined');
  });
});
const server = createServer();
io.attach(server);
server.listen(Number(port), '127.0.0.1', tellReady);
