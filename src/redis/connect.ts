import { Cluster, Redis, type ClusterOptions, type RedisOptions } from 'ioredis';
import type { Logger } from '../lib/logger.js';
import { readRedisUrl, type RedisAddress } from './redis-address.js';

/** One server (it may be one that Sentinels have named), or a cluster. */
export type RedisClient = Redis | Cluster;

/** For `rediss…` addresses: what is trusted instead of the system's authorities, and who we are. PEM. */
export interface RedisTls {
  ca?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
}

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
  // Else a connection that died silently would be waited for. Longer than a worker ever blocks (`workers/queue-worker.ts`:
  // its `drainDelay`, also where a delayed job waits), short enough that locks are renewed before they expire.
  blocking: { maxRetriesPerRequest: null, socketTimeout: 3000 },
};

/** A connection that died silently is noticed where an answer is awaited: in one that rests too, now and then. */
const heartbeatMs = 2000;

const retryDelay = (times: number) =>
  Math.min(50 * 2 ** Math.min(times, 5), 1000) * (0.5 + Math.random() / 2);

const common: RedisOptions = {
  connectTimeout: 2000,
  keepAlive: 5000,
  enableReadyCheck: true,
  retryStrategy: retryDelay,
  lazyConnect: false,
};

/**
 * Opens a connection that reconnects for ever, at most a second apart.
 *
 * @throws Error when the URL is none (see `redis-address.ts`)
 */
export function connectRedis(url: string, purpose: Purpose, log: Logger, tls: RedisTls = {}): RedisClient {
  const address = readRedisUrl(url);
  const redis = open(address, purpose, tls);
  const warn = (error: Error) => {
    log.warn({ purpose, reason: error.message }, 'redis connection failed');
  };
  redis.on('error', warn);
  redis.on('node error', warn);
  if (purpose === 'commands' || purpose === 'appends') {
    const heartbeat = setInterval(() => {
      for (const node of nodesOf(redis)) if (node.status === 'ready') node.ping().catch(() => undefined);
    }, heartbeatMs).unref();
    redis.once('end', () => {
      clearInterval(heartbeat);
    });
  }
  return redis;
}

function open(address: RedisAddress, purpose: Purpose, tls: RedisTls): RedisClient {
  const own = options[purpose];
  if (address.kind === 'server') {
    const secure = address.url.startsWith('rediss:') && { tls };
    return new Redis(address.url, { ...common, ...own, ...secure });
  }
  const { servers, username, password } = address;
  const login = { username, password };
  const secure = address.tls && { tls };
  if (address.kind === 'cluster')
    return new Cluster(servers, clusterOptions(purpose, { ...login, ...secure }));
  const { name, db, sentinelPassword } = address;
  return new Redis({
    ...common,
    ...own,
    ...login,
    ...secure,
    ...(address.tls && { enableTLSForSentinelMode: true, sentinelTLS: tls }),
    ...(db !== undefined && { db }),
    sentinels: servers,
    name,
    sentinelPassword,
    sentinelCommandTimeout: 1000,
    sentinelRetryStrategy: retryDelay,
    // No `failoverDetector`: news of a new master that come while a connection is being made end it for good. A master that
    // is gone is noticed as any server is; one that has become a replica is left here, and Sentinel closes what listens to it.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  });
}

/** How soon a cluster's new order is known where no command has met it. */
const slotsRefreshMs: Record<Purpose, number> = {
  commands: 5000,
  appends: 5000,
  // Nothing is sent on it that could: see `cluster-subscriber.ts`.
  subscriber: 1000,
  blocking: 5000,
};

/**
 * A node that is gone fails what was sent to it, as a server does; only for BullMQ commands wait until another one has
 * its slots. What a node has refused (MOVED, ASK, TRYAGAIN, CLUSTERDOWN) it has not executed: that is sent on.
 */
function clusterOptions(purpose: Purpose, connection: RedisOptions): ClusterOptions {
  const { enableOfflineQueue = true, ...own } = options[purpose];
  const { connectTimeout, keepAlive, enableReadyCheck } = common;
  const waits = purpose === 'blocking';
  return {
    enableOfflineQueue,
    enableReadyCheck: true,
    clusterRetryStrategy: retryDelay,
    slotsRefreshInterval: slotsRefreshMs[purpose],
    slotsRefreshTimeout: 2000,
    retryDelayOnFailover: waits ? 200 : 0,
    retryDelayOnMoved: waits ? 50 : 0,
    maxRedirections: waits ? 1000 : 16,
    // Certificates name hosts.
    ...(connection.tls && {
      dnsLookup: (host, callback) => {
        callback(null, host);
      },
    }),
    // At once: what is sent to a node that is being connected fails.
    redisOptions: { ...own, connectTimeout, keepAlive, enableReadyCheck, lazyConnect: false, ...connection },
  };
}

/** A connection for subscriptions to one node of a cluster, `host:port`, as the cluster's own are. */
export function connectNode(cluster: Cluster, node: string, log: Logger): Redis {
  const [, host, port] = /^(.*):(\d+)$/.exec(node) ?? [];
  const redis = new Redis({
    ...cluster.options.redisOptions,
    ...common,
    ...options.subscriber,
    host,
    port: Number(port),
  });
  redis.on('error', (error: Error) => {
    log.warn({ purpose: 'subscriber', node, reason: error.message }, 'redis connection failed');
  });
  return redis;
}

/** All servers that hold data: the one, or the masters of the cluster that are known now. */
export const nodesOf = (redis: RedisClient): Redis[] =>
  redis instanceof Cluster ? redis.nodes('master') : [redis];

/** Resolves once the connection, to all nodes of a cluster, can take commands; fails after `timeoutMs`. */
export async function whenReady(redis: RedisClient, timeoutMs: number): Promise<void> {
  const since = performance.now();
  await becomeReady(redis, timeoutMs);
  if (!(redis instanceof Cluster)) return;
  const leftMs = timeoutMs - (performance.now() - since);
  await Promise.all(nodesOf(redis).map((node) => becomeReady(node, leftMs)));
}

async function becomeReady(redis: RedisClient, timeoutMs: number): Promise<void> {
  if (redis.status === 'ready') return;
  let reason = '';
  const note = (error: Error) => {
    reason = ` (${error.message})`;
  };
  const events = ['error', 'node error'];
  for (const event of events) redis.on(event, note);
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        redis.off('ready', done);
        reject(new Error(`Redis did not answer within ${Math.round(timeoutMs)} ms${reason}`));
      }, timeoutMs);
      const done = () => {
        clearTimeout(timer);
        resolve();
      };
      redis.once('ready', done);
    });
  } finally {
    for (const event of events) redis.off(event, note);
  }
}
