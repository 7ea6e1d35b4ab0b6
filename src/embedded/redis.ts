import { execFile } from 'node:child_process';
import { mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis, ReplyError } from 'ioredis';
import { onFreePort } from '../lib/free-port.js';
import type { Logger } from '../lib/logger.js';
import { StartError } from '../lib/start-error.js';
import { ServerProcess } from './server-process.js';

export type EmbeddedRedisKind = 'redis-server' | 'valkey-server' | 'js-redis-server';

export interface EmbeddedRedis {
  pid: number;
  url: string;
  kind: EmbeddedRedisKind;
  /** Whether what it holds outlives it. */
  persistent: boolean;
  /** Resolves with a one-line error if it ends although nobody closed it. */
  crashed: Promise<StartError>;
  close(): Promise<void>;
}

interface EmbeddedRedisOptions {
  /** Absolute, and claimed by this process. The append-only file is kept in `redis` below it. */
  dataDir: string;
  log: Logger;
  /** Default: a free one. */
  port?: number;
  /** Default: the first that can be had. */
  kind?: EmbeddedRedisKind;
}

/** Sharded pub/sub, which rooms need, came with Redis 7. */
const oldestMajor = 7;

/** An append-only file of gigabytes takes its time to be read. */
const readyTimeoutMs = 120_000;

const leftoverTimeoutMs = 10_000;

const nativeKinds = ['redis-server', 'valkey-server'] as const;

/**
 * Starts a Redis for this process alone: `redis-server` or `valkey-server` of the PATH with an append-only file, else
 * `js-redis-server`, in memory. It answers when this resolves, and listens on 127.0.0.1 only.
 *
 * @throws {StartError} with the server's last words.
 */
export async function startEmbeddedRedis(options: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const kind = options.kind ?? (await findRedis(options.log));
  const launch = (port: number) => launchRedis(kind, port, options);
  return options.port === undefined ? onFreePort(launch) : launch(options.port);
}

/** The best kind of Redis that this machine has. */
export async function findRedis(log?: Logger): Promise<EmbeddedRedisKind> {
  let tooOld = '';
  for (const kind of nativeKinds) {
    const version = await versionOf(kind);
    if (version === undefined) continue;
    if (version >= oldestMajor) return kind;
    tooOld = ` (the ${kind} of the PATH is version ${version}, older than ${oldestMajor})`;
  }
  log?.warn(
    `Redis runs in memory, for trying out: it is slow, and what is queued waits in Postgres at the end${tooOld}. To install Redis: ${installCommand()}`,
  );
  return 'js-redis-server';
}

/** The major version; undefined: there is no such program. */
async function versionOf(command: string): Promise<number | undefined> {
  try {
    const { stdout } = await promisify(execFile)(command, ['--version']);
    const major = /v=(\d+)/.exec(stdout)?.[1];
    return major === undefined ? undefined : Number(major);
  } catch {
    return undefined;
  }
}

function installCommand(): string {
  switch (process.platform) {
    case 'darwin':
      return 'brew install redis';
    case 'win32':
      return 'docker run -p 6379:6379 redis:7-alpine, and set REDIS_URL=redis://127.0.0.1:6379';
    default:
      return 'sudo apt install redis-server (or the like for your system)';
  }
}

async function launchRedis(
  kind: EmbeddedRedisKind,
  port: number,
  { dataDir, log }: EmbeddedRedisOptions,
): Promise<EmbeddedRedis> {
  const persistent = kind !== 'js-redis-server';
  const dir = join(dataDir, 'redis');
  const server = persistent ? await spawnNative(kind, port, dir, log) : await spawnInMemory(port, log);
  // Somebody else may have taken the port meanwhile, and be a Redis, too: ours then ends, and is not mistaken for it.
  await server.ready(
    (signal) => (persistent ? answersFrom(port, dir, signal) : server.said('listening')),
    readyTimeoutMs,
  );
  return {
    pid: server.pid,
    url: `redis://127.0.0.1:${port}`,
    kind,
    persistent,
    crashed: server.crashed,
    close: () => server.stop(),
  };
}

async function spawnNative(
  command: (typeof nativeKinds)[number],
  port: number,
  dir: string,
  log: Logger,
): Promise<ServerProcess> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const portFile = join(dir, 'port');
  await stopLeftover(dir, portFile, log);
  await writeFile(portFile, String(port));
  const settings = {
    bind: '127.0.0.1',
    port: String(port),
    dir,
    appendonly: 'yes',
    save: '',
    'maxmemory-policy': 'noeviction',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  return ServerProcess.spawn({ name: 'The embedded Redis', command, args, stopSignal: 'SIGTERM', log });
}

function spawnInMemory(port: number, log: Logger): Promise<ServerProcess> {
  // From TypeScript in tests, from JavaScript once built.
  const extension = extname(fileURLToPath(import.meta.url));
  const entry = fileURLToPath(new URL(`./js-redis-child${extension}`, import.meta.url));
  const loader =
    extension === '.ts'
      ? ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href]
      : [];
  return ServerProcess.spawn({
    name: 'The embedded Redis (in memory)',
    command: process.execPath,
    args: [...loader, entry, String(port)],
    stopSignal: 'SIGTERM',
    log,
  });
}

/** Resolves when the Redis of this folder answers PING, which one that still reads its file does not do. */
async function answersFrom(port: number, dir: string, signal: AbortSignal): Promise<void> {
  const ours = await realpath(dir);
  const redis = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 20, maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  const giveUp = () => {
    redis.disconnect();
  };
  signal.addEventListener('abort', giveUp);
  try {
    signal.throwIfAborted();
    while ((await folderOf(redis)) !== ours) await sleep(20, undefined, { signal });
    await redis.ping();
  } finally {
    signal.removeEventListener('abort', giveUp);
    redis.disconnect();
  }
}

/**
 * Two servers on one append-only file would ruin it. Whoever holds the data folder may end the server that an earlier
 * holder, killed, has left behind.
 */
async function stopLeftover(dir: string, portFile: string, log: Logger): Promise<void> {
  const port = Number(await readFile(portFile, 'utf8').catch(() => ''));
  if (!port) return;
  const deadline = Date.now() + leftoverTimeoutMs;
  while ((await stopIfOurs(port, await realpath(dir))) === 'still there') {
    log.debug({ port }, 'waiting for the Redis of an earlier start to end');
    if (Date.now() > deadline) {
      throw new StartError(
        `The Redis of an earlier start may still run on port ${port}: end it with redis-cli -p ${port} shutdown, or delete ${portFile} if another program answers there`,
      );
    }
    await sleep(50);
  }
}

/**
 * Asks whoever listens on a port for the folder that it uses, and tells it to shut down if that is ours. A Redis stops
 * listening only when its file is written.
 */
async function stopIfOurs(port: number, dir: string): Promise<'gone' | 'not ours' | 'still there'> {
  const redis = new Redis({
    port,
    host: '127.0.0.1',
    lazyConnect: true,
    retryStrategy: null,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
    connectTimeout: 1000,
    commandTimeout: 1000,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
  } catch {
    return 'gone';
  }
  try {
    if ((await folderOf(redis)) !== dir) return 'not ours';
    await redis.shutdown();
    return 'still there';
  } catch (error) {
    return error instanceof ReplyError ? 'not ours' : 'still there';
  } finally {
    redis.disconnect();
  }
}

/** The folder that a Redis uses; undefined: it does not tell. Fails when it does not answer. */
async function folderOf(redis: Redis): Promise<unknown> {
  try {
    const answer = await redis.config('GET', 'dir');
    return Array.isArray(answer) ? answer[1] : undefined;
  } catch (error) {
    if (error instanceof ReplyError) return undefined;
    throw error;
  }
}
