import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Router } from 'express';
import { createApp } from '../../../src/api/app.js';
import { createAuth, type AuthOptions } from '../../../src/api/auth.js';
import type { GenerationStreams } from '../../../src/api/generation-streams.js';
import type { ApiSettings } from '../../../src/api/settings.js';
import type { User } from '../../../src/domain/conversation.js';
import type { ProviderName } from '../../../src/domain/models.js';
import { createLogger } from '../../../src/lib/logger.js';
import { DocumentReader } from '../../../src/reading/document-reader.js';
import { FolderStorage } from '../../../src/storage/folder-storage.js';
import { GenerationQueues } from '../../../src/queue/generation-queue.js';
import { WebhookQueue } from '../../../src/queue/webhook-queue.js';
import { AnswerCache } from '../../../src/redis/answer-cache.js';
import { CancelFlags } from '../../../src/redis/cancel-flags.js';
import { connectRedis, whenReady } from '../../../src/redis/connect.js';
import { createKeys } from '../../../src/redis/keys.js';
import { RoomLog } from '../../../src/redis/room-log.js';
import { Activity } from '../../../src/service/activity.js';
import { ModelPolicy } from '../../../src/service/model-policy.js';
import { QueueRoom } from '../../../src/service/queue-room.js';
import { Relay } from '../../../src/service/relay.js';
import { JsonSchemas } from '../../../src/lib/json-schemas.js';
import { ThreadPool } from '../../../src/lib/thread-pool.js';
import { ToolPolicy } from '../../../src/service/tool-policy.js';
import type { ServiceContext } from '../../../src/service/service-context.js';
import { migrateDatabase, openStore } from '../../../src/store/database.js';
import { createTestDatabase, testKeyPrefix, testRedisUrl } from '../../support/stores.js';

export const secret = 'a secret of the tests, of more than 32 bytes';

interface TestApiOptions {
  redisUrl?: string;
  databaseUrl?: string;
  settings?: Partial<Omit<ApiSettings, 'limits'>> & { limits?: Partial<ApiSettings['limits']> };
  auth?: Partial<AuthOptions>;
  maxQueuedGenerations?: number;
  /** In nano-dollars. */
  budgets?: Partial<ServiceContext['budgets']>;
  /** Those that can be asked for. */
  providers?: ProviderName[];
}

/** What is read of any answer. */
export interface Answer {
  status: number;
  headers: Headers;
  /** Parsed where it is JSON, else its text. */
  body: unknown;
}

export interface CallOptions {
  headers?: Record<string, string>;
  /** Sent as it is instead of JSON. */
  raw?: string;
  signal?: AbortSignal;
}

/** Somebody with a session. */
export interface Caller {
  user: User;
  token: string;
  call(method: string, path: string, body?: unknown, options?: CallOptions): Promise<Answer>;
}

/** The app on a port, with real stores and without a worker: generations stay queued until they are cancelled. */
export async function startTestApi(options: TestApiOptions = {}) {
  const database = options.databaseUrl ? undefined : await createTestDatabase();
  const databaseUrl = options.databaseUrl ?? database?.url ?? '';
  await migrateDatabase(databaseUrl);
  const store = openStore({ url: databaseUrl, maxConnections: 5 });

  const lines: string[] = [];
  const log = createLogger({
    level: 'debug',
    role: 'test',
    destination: { write: (line: string) => void lines.push(line) },
  });
  const redisUrl = options.redisUrl ?? testRedisUrl();
  const redis = connectRedis(redisUrl, 'commands', log);
  const queueRedis = connectRedis(redisUrl, 'blocking', log);
  await whenReady(redis, 5000);
  const prefix = testKeyPrefix();
  const keys = createKeys(prefix);
  const roomLog = new RoomLog(redis, keys);
  const queues = new GenerationQueues(queueRedis, prefix);
  const webhooks = new WebhookQueue(queueRedis, prefix);
  const activity = new Activity({ db: store.db, redis, keys, roomLog, log });
  const relay = new Relay({ db: store.db, redis: 'oneServer', roomLog, queues, webhooks, activity, log });
  const threads = new ThreadPool();
  const context: ServiceContext = {
    db: store.db,
    relay,
    activity,
    roomLog,
    queues,
    webhooks,
    cancelFlags: new CancelFlags(redis, keys),
    answerCache: new AnswerCache({ redis, keys, maxBytes: 1_000_000 }),
    queueRoom: new QueueRoom(options.maxQueuedGenerations ?? 10_000),
    models: new ModelPolicy({ providers: new Set(options.providers ?? ['demo']), defaultModel: undefined }),
    tools: new ToolPolicy({ fetchUrlAllow: [], mcpServers: [] }),
    schemas: new JsonSchemas(threads),
    limits: {
      defaultMaxTokens: 4096,
      documentSectionsAtOnce: 4,
    },
    budgets: { user: null, conversation: null, ...options.budgets },
    log,
  };

  const streams = new TestStreams();
  const events = Router();
  events.get('/generations/:id/events', (_req, res) => {
    res.json({ session: res.locals.session as unknown });
  });
  const webRoot = await mkdtemp(join(tmpdir(), 'tokencast-web-'));
  await mkdir(join(webRoot, 'assets'));
  await writeFile(join(webRoot, 'index.html'), '<!doctype html><title>page</title>');
  await writeFile(join(webRoot, 'assets', 'main-abc123.js'), 'export {};\n'.repeat(200));

  const uploads = await mkdtemp(join(tmpdir(), 'tokencast-uploads-'));
  const documents = {
    storage: new FolderStorage(join(uploads, 'files')),
    reader: new DocumentReader({
      concurrency: 1,
      timeoutMs: 30_000,
      maxMemoryBytes: 500_000_000,
      // The built one starts several times as fast.
      program: fileURLToPath(new URL('../../../dist/src/reading/reader-child.js', import.meta.url)),
    }),
    incomingFolder: join(uploads, 'incoming'),
    maxUploadBytes: 1_000_000,
  };

  const auth = createAuth({ mode: 'guest', secret, ...options.auth });
  const { limits, ...settings } = options.settings ?? {};
  const app = createApp({
    context,
    store,
    pingRedis: async () => {
      await redis.ping();
    },
    redis,
    rateLimitPrefix: keys.rateLimit,
    auth,
    streams,
    events,
    documents,
    settings: {
      production: false,
      webRoot,
      adminToken: undefined,
      corsOrigins: [],
      publicUrl: undefined,
      trustProxy: false,
      ...settings,
      limits: { maxMessageChars: 1000, userMessagesPerMinute: 1000, sessionsPerHourPerIp: 1000, ...limits },
    },
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function call(
    method: string,
    path: string,
    body?: unknown,
    { headers, raw, signal }: CallOptions = {},
  ): Promise<Answer> {
    const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(url + path, {
      method,
      headers: { ...(sent !== undefined && { 'content-type': 'application/json' }), ...headers },
      body: sent ?? null,
      redirect: 'manual',
      signal: signal ?? null,
    });
    const text = await response.text();
    const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      body: isJson ? (JSON.parse(text) as unknown) : text,
    };
  }

  /** Calls with this token. */
  function callerWith(user: User, token: string): Caller {
    return {
      user,
      token,
      call: (method, path, body, callOptions = {}) =>
        call(method, path, body, {
          ...callOptions,
          headers: { authorization: `Bearer ${token}`, ...callOptions.headers },
        }),
    };
  }

  return {
    url,
    auth,
    context,
    db: store.db,
    documents,
    /** Where files are on their way, and kept. */
    uploads,
    streams,
    log: lines,
    call,
    callerWith,
    signIn: async (name: string): Promise<Caller> => {
      const { body } = await call('POST', '/v1/sessions', { name });
      const { user, token } = body as { user: User; token: string };
      return callerWith(user, token);
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await relay.close();
      await threads.close();
      await queues.close();
      await webhooks.close();
      redis.disconnect();
      queueRedis.disconnect();
      await store.close();
      await database?.dispose();
      await rm(webRoot, { recursive: true });
      await rm(uploads, { recursive: true });
    },
  };
}

export type TestApi = Awaited<ReturnType<typeof startTestApi>>;

/** Stands for the gateway: a stream is one event, and generations end when the test says so. */
class TestStreams implements GenerationStreams {
  /** Waits that are under way or were. */
  readonly waits: { generationId: string; timeoutMs: number; end: () => void; left: Promise<void> }[] = [];
  #onWait: (() => void) | undefined;

  readonly stream: GenerationStreams['stream'] = (_req, res, generation, session) => {
    res.type('text/event-stream').send(`data: ${generation.id} ${session.user.id}\n\n`);
    return Promise.resolve();
  };

  readonly waitForEnd: GenerationStreams['waitForEnd'] = ({ id }, timeoutMs, signal) =>
    new Promise((resolve) => {
      const left = new Promise<void>((onLeft) => {
        const leave = () => {
          onLeft();
          resolve();
        };
        if (signal.aborted) leave();
        else signal.addEventListener('abort', leave);
      });
      this.waits.push({ generationId: id, timeoutMs, end: resolve, left });
      this.#onWait?.();
    });

  /** The next wait that begins. */
  async nextWait() {
    const count = this.waits.length;
    await new Promise<void>((resolve) => {
      this.#onWait = resolve;
    });
    const wait = this.waits[count];
    if (!wait) throw new Error('no wait has begun');
    return wait;
  }
}
