import type { Socket } from 'node:net';
import { Cluster } from 'ioredis';
import type { RedisClient } from './connect.js';

/**
 * Has what is sent on this connection from now to the end of the turn of the event loop leave in one write: a call of the
 * kernel for each command costs more than making it. Nothing waits but for what the turn does anyway.
 *
 * On a cluster, where each node has its own connection, every command leaves alone.
 */
export function joinWrites(redis: RedisClient): void {
  if (redis instanceof Cluster) return;
  // None where the connection is being made, whatever its type says.
  const stream = redis.stream as Socket | undefined;
  if (!stream || stream.writableCorked > 0) return;
  stream.cork();
  setImmediate(() => {
    stream.uncork();
  });
}
