import { Redis, type RedisOptions } from 'ioredis';
import type { Logger } from '../lib/logger.js';

/**
 * What a connection is for decides what happens to commands when Redis is away:
 *
 * - `commands`: they fail at once, or after a second without an answer; the caller answers "unavailable".
 * - `appends`: likewise, and nothing is ever sent again by the client: an append whose answer was lost may have been
 *   written, and only its author can repeat it under its number.
 * - `subscriber`: for SSUBSCRIBE alone; `redis/subscriber.ts` watches it.
 * - `blocking`: BullMQ's workers and queues; commands wait for Redis to come back.
 */
type Purpose = 'commands' | 'appends' | 'subscriber' | 'blocking';

const options: Record<Purpose, RedisOptions> = {
  commands: { enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: 1000, socketTimeout: 3000 },
  appends: {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    commandTimeout: 3000,
    socketTimeout: 3000,
  },
  // Its time limit is for the handshake of a new connection: an idle one has no answer to wait for.
  subscriber: {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResubscribe: false,
    socketTimeout: 3000,
    // It is disconnected where it is silent: nobody would answer a polite end.
    disconnectTimeout: 0,
  },
  // Else a connection that died silently would be waited for. Longer than a worker blocks (its `drainDelay`), short
  // enough that locks are renewed before they expire.
  blocking: { maxRetriesPerRequest: null, socketTimeout: 3000 },
};

/** A connection that died silently is noticed where an answer is awaited: in one that rests too, now and then. */
const heartbeatMs = 2000;

/** Opens a connection that reconnects for ever, at most a second apart. */
export function connectRedis(url: string, purpose: Purpose, log: Logger): Redis {
  const redis = new Redis(url, {
    ...options[purpose],
    connectTimeout: 2000,
    keepAlive: 5000,
    enableReadyCheck: true,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 5), 1000) * (0.5 + Math.random() / 2),
    lazyConnect: false,
  });
  redis.on('error', (error: Error) => {
    log.warn({ purpose, reason: error.message }, 'redis connection failed');
  });
  if (purpose === 'commands' || purpose === 'appends') {
    const heartbeat = setInterval(() => {
      if (redis.status === 'ready') redis.ping().catch(() => undefined);
    }, heartbeatMs).unref();
    redis.once('end', () => {
      clearInterval(heartbeat);
    });
  }
  return redis;
}

/** Resolves once the connection can take commands; fails after `timeoutMs`. */
export async function whenReady(redis: Redis, timeoutMs: number): Promise<void> {
  if (redis.status === 'ready') return;
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      redis.off('ready', done);
      reject(new Error(`Redis did not answer within ${timeoutMs} ms`));
    }, timeoutMs);
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    redis.once('ready', done);
  });
}
