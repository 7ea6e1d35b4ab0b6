/**
 * The Redis of last resort, in a process of its own: `js-redis-server` on 127.0.0.1 and the port of the first argument.
 * Keeps everything in memory, and ends when its standard input does: with its parent. Once it
 * listens it says "listening".
 */
import {
  createRedisCommandExecutor,
  RedisServerState,
  Resp2Server,
  resolveCompatibilityProfile,
} from 'js-redis-server/core';

const compatibility = resolveCompatibilityProfile('redis-7.4');
const { server } = new Resp2Server({
  server: new RedisServerState({ databaseCount: 16, compatibility }),
  executor: createRedisCommandExecutor({ compatibility }),
});

// Its own listen() takes every address of the machine, and without noDelay an idle subscriber waits 40 ms for a message.
server.on('connection', (socket) => socket.setNoDelay(true));
server.on('error', (error) => {
  console.error(error.message);
  process.exit(1);
});
server.listen({ port: Number(process.argv[2]), host: '127.0.0.1' }, () => {
  console.log('listening');
});

process.stdin.on('close', () => process.exit(0)).resume();
