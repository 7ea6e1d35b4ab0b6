import { Registry } from 'prom-client';
import { openStorage } from './compose-storage.js';
import type { Env } from './config/env.js';
import type { ProviderName } from './domain/models.js';
import { JsonSchemas } from './lib/json-schemas.js';
import type { Logger } from './lib/logger.js';
import { ThreadPool } from './lib/thread-pool.js';
import { GenerationQueues } from './queue/generation-queue.js';
import { WebhookQueue } from './queue/webhook-queue.js';
import { AnswerCache } from './redis/answer-cache.js';
import { CancelFlags } from './redis/cancel-flags.js';
import { openSubscriber } from './redis/cluster-subscriber.js';
import { connectRedis, whenReady, type RedisClient } from './redis/connect.js';
import { createKeys, type Keys } from './redis/keys.js';
import { RoomLog } from './redis/room-log.js';
import type { Subscriptions } from './redis/subscriber.js';
import { Activity } from './service/activity.js';
import { measureEnds } from './service/measure-ends.js';
import { ModelPolicy } from './service/model-policy.js';
import { QueueRoom } from './service/queue-room.js';
import { Relay } from './service/relay.js';
import type { ServiceContext } from './service/service-context.js';
import { ToolPolicy } from './service/tool-policy.js';
import { registerStoreMetrics } from './service/store-metrics.js';
import type { FileStorage } from './storage/file-storage.js';
import { openStore, type Store } from './store/database.js';

/** What every process has: its stores, and the commands' context over them. */
export interface Core {
  context: ServiceContext;
  store: Store;
  keys: Keys;
  /** Commands that fail fast. */
  redis: RedisClient;
  subscriber: Subscriptions;
  /** For work that may take long. */
  threads: ThreadPool;
  /** Where the files of documents are. */
  storage: FileStorage;
  /** The metrics of this process. */
  registry: Registry;
  /** Throws when Redis does not answer, or takes no writes: full, or a replica. */
  pingRedis: () => Promise<void>;
  close(): Promise<void>;
}

interface CoreOptions {
  env: Env;
  redisUrl: string;
  databaseUrl: string;
  /** Connections to Postgres of this process. */
  maxConnections: number;
  log: Logger;
}

/** Opens the stores. @throws when Redis does not answer within 10 s */
export async function openCore({
  env,
  redisUrl,
  databaseUrl,
  maxConnections,
  log,
}: CoreOptions): Promise<Core> {
  const keys = createKeys(env.stores.keyPrefix);
  const { redisTls } = env;
  const redis = connectRedis(redisUrl, 'commands', log, redisTls);
  const appends = connectRedis(redisUrl, 'appends', log, redisTls);
  const queueRedis = connectRedis(redisUrl, 'commands', log, redisTls);
  const subscriberRedis = connectRedis(redisUrl, 'subscriber', log, redisTls);
  const connections = [redis, appends, queueRedis, subscriberRedis];
  try {
    await Promise.all(connections.map((connection) => whenReady(connection, 10_000)));
  } catch (error) {
    for (const connection of connections) connection.disconnect();
    throw error;
  }
  const store = openStore({ url: databaseUrl, maxConnections });
  const roomLog = new RoomLog(appends, keys);
  const queues = new GenerationQueues(queueRedis, env.stores.keyPrefix);
  const webhooks = new WebhookQueue(queueRedis, env.stores.keyPrefix);
  const activity = new Activity({ db: store.db, redis, keys, roomLog, log });
  const relay = new Relay({
    db: store.db,
    redis: redis.isCluster ? 'cluster' : 'oneServer',
    roomLog,
    queues,
    webhooks,
    activity,
    log,
  });
  const subscriber = openSubscriber(subscriberRedis, log);
  const registry = new Registry();
  registerStoreMetrics(registry, store.db);
  const storage = await openStorage(env);
  const threads = new ThreadPool();
  const context: ServiceContext = {
    db: store.db,
    relay,
    activity,
    roomLog,
    queues,
    webhooks,
    cancelFlags: new CancelFlags(redis, keys),
    answerCache: new AnswerCache({ redis, keys, maxBytes: env.cache.maxBytes }),
    queueRoom: new QueueRoom(env.limits.maxQueuedGenerations),
    models: new ModelPolicy({ providers: providersOf(env), defaultModel: env.generation.defaultModel }),
    tools: new ToolPolicy(env.tools),
    schemas: new JsonSchemas(threads),
    limits: {
      defaultMaxTokens: env.generation.defaultMaxTokens,
      documentSectionsAtOnce: env.documents.sectionsAtOnce,
    },
    budgets: { user: env.budgets.userNanoPerDay, conversation: env.budgets.conversationNano },
    onEnded: measureEnds(registry),
    log,
  };
  return {
    context,
    store,
    keys,
    redis,
    subscriber,
    threads,
    storage,
    registry,
    pingRedis: async () => {
      await redis.set(keys.probe, 1, 'PX', 60_000);
    },
    close: async () => {
      await relay.close();
      await threads.close();
      activity.close();
      await queues.close();
      await webhooks.close();
      subscriber.close();
      storage.close();
      for (const connection of connections) connection.disconnect();
      await store.close();
    },
  };
}

/** Providers that can be called with what is set. */
function providersOf({ providers }: Env): Set<ProviderName> {
  const keyed = (['anthropic', 'mistral', 'openai'] as const).filter((name) => providers[name].apiKey);
  return new Set<ProviderName>([...keyed, 'demo']);
}
