import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { Redis } from 'ioredis';
import postgres from 'postgres';
import { inject } from 'vitest';
import { startEmbeddedPostgres } from '../../src/embedded/postgres.js';
import { findRedis, startEmbeddedRedis } from '../../src/embedded/redis.js';
import { createLogger } from '../../src/lib/logger.js';
import { connectRedis, nodesOf, type RedisClient } from '../../src/redis/connect.js';
import { ownPort } from './own-port.js';
import { temporaryDataDir } from './temporary-data-dir.js';

const log = createLogger({ level: 'silent', role: 'test' });

/** The Redis of the run. Others use it too: keep to keys below {@link testKeyPrefix}, and never flush it. */
export const testRedisUrl = (): string => inject('redisUrl');

/** A connection to it, or to the Redis of a test's own. It waits for Redis where that is away. */
export const openRedis = (url = testRedisUrl()): RedisClient => connectRedis(url, 'blocking', log);

/** A prefix for Redis keys and queue names that nobody else has. */
export const testKeyPrefix = (): string => `test-${randomUUID().slice(0, 13)}`;

/** The keys that match, of all nodes of a cluster. */
export async function keysLike(redis: RedisClient, pattern: string): Promise<string[]> {
  return (await Promise.all(nodesOf(redis).map((node) => node.keys(pattern)))).flat();
}

export interface TestDatabase {
  url: string;
  /** Drops it, whoever is still connected. */
  dispose(): Promise<void>;
}

/** A new empty database on the Postgres of the run. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = inject('postgresUrl');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await execute(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, dispose: () => execute(server, `drop database if exists ${name} with (force)`) };
}

async function execute(url: string, statement: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    await sql.unsafe(statement);
  } finally {
    await sql.end();
  }
}

interface Running {
  pid: number;
  url: string;
  close(): Promise<void>;
}

/** A server for one test alone: it may stop, kill and start it again; address and data stay. */
class ThrowAwayServer {
  #running: Running | undefined;

  protected constructor(
    readonly url: string,
    readonly port: number,
    readonly dataDir: string,
    private readonly launch: () => Promise<Running>,
    running: Running,
  ) {
    this.#running = running;
  }

  /** Starts it again at its address, with its data. */
  async start(): Promise<void> {
    this.#running ??= await this.launch();
  }

  /** Ends it in good order. */
  async stop(): Promise<void> {
    await this.#running?.close();
    this.#running = undefined;
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    this.#signal('SIGKILL');
    await this.stop();
  }

  /** Lets it hang: connections stay, nothing is answered. */
  pause(): void {
    this.#signal('SIGSTOP');
  }

  resume(): void {
    this.#signal('SIGCONT');
  }

  /** Ends it and deletes its data. */
  async dispose(): Promise<void> {
    if (this.#running) await this.kill();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#running) process.kill(this.#running.pid, signal);
  }
}

export class TestRedis extends ThrowAwayServer {
  /** `redis-server` of the PATH, else one in memory, which loses all at a stop. */
  static async start(): Promise<TestRedis> {
    const [dataDir, port] = await Promise.all([temporaryDataDir(), ownPort()]);
    const launch = () => startEmbeddedRedis({ dataDir, log, port });
    const running = await launch();
    return new TestRedis(running.url, port, dataDir, launch, running);
  }

  /** Deletes all keys of the running server. */
  async wipe(): Promise<void> {
    await this.#ask((redis) => redis.flushall());
  }

  /** Starts the stopped server again without its data. */
  async startEmpty(): Promise<void> {
    await rm(this.dataDir, { recursive: true, force: true });
    await this.start();
  }

  /** Sets a parameter of the running server, as in redis.conf. */
  async configure(name: string, value: string): Promise<void> {
    await this.#ask((redis) => redis.config('SET', name, value));
  }

  async #ask(question: (redis: Redis) => Promise<unknown>): Promise<void> {
    const redis = new Redis(this.url, { maxRetriesPerRequest: 1 });
    try {
      await question(redis);
    } finally {
      redis.disconnect();
    }
  }
}

export class TestPostgres extends ThrowAwayServer {
  static async start(): Promise<TestPostgres> {
    const [dataDir, port] = await Promise.all([temporaryDataDir(), ownPort()]);
    const launch = () => startEmbeddedPostgres({ dataDir, log, port });
    const running = await launch();
    return new TestPostgres(running.url, port, dataDir, launch, running);
  }
}

/** Whether a throw-away Redis is a real one, which keeps its data and can be configured: else skip what needs that. */
export const hasRealRedis = async (): Promise<boolean> => (await findRedis()) !== 'js-redis-server';

/** A Redis of one's own, which a test may stop, wipe and configure. */
export const startRedis = (): Promise<TestRedis> => TestRedis.start();

/** A Postgres of one's own, which a test may stop and kill. */
export const startPostgres = (): Promise<TestPostgres> => TestPostgres.start();
