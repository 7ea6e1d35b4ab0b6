import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import postgres from 'postgres';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { isReachable } from '../../src/embedded/postgres-binaries.js';
import { startEmbeddedPostgres } from '../../src/embedded/postgres.js';
import { startEmbeddedRedis, type EmbeddedRedis } from '../../src/embedded/redis.js';
import { createLogger } from '../../src/lib/logger.js';
import { StartError } from '../../src/lib/start-error.js';
import type { HeldStores } from '../support/stores-holder.js';
import { createTestDatabase, hasRealRedis, startPostgres, startRedis } from '../support/stores.js';
import { temporaryDataDir } from '../support/temporary-data-dir.js';

const log = createLogger({ level: 'silent', role: 'test' });
const realRedis = await hasRealRedis();

let dataDir: string;
const undo: (() => unknown)[] = [];

beforeEach(async () => {
  dataDir = await temporaryDataDir();
  undo.push(() => rm(dataDir, { recursive: true, force: true }));
});

afterEach(async () => {
  for (let step = undo.pop(); step; step = undo.pop()) await step();
});

function redisClient({ url }: { url: string }): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: 1 });
  redis.on('error', () => undefined);
  undo.push(() => {
    redis.disconnect();
  });
  return redis;
}

function sqlClient({ url }: { url: string }): postgres.Sql {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  undo.push(() => sql.end({ timeout: 1 }));
  return sql;
}

async function redisIn(dir: string, kind?: 'js-redis-server'): Promise<EmbeddedRedis> {
  const redis = await startEmbeddedRedis({ dataDir: dir, log, kind });
  undo.push(() => redis.close());
  return redis;
}

async function postgresIn(dir: string) {
  const server = await startEmbeddedPostgres({ dataDir: dir, log });
  undo.push(() => server.close());
  return server;
}

const isGone = (pid: number) => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};

/** Whether a port is open on any address of this machine beside the loopback one. */
async function isOpenOutside(port: number): Promise<boolean> {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outside = addresses
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .map((a) => a.address);
  for (const host of [...outside, '127.0.0.2']) {
    const socket = connect({ port, host });
    const open = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (open) return true;
  }
  return false;
}

describe('embedded Redis', () => {
  test.runIf(realRedis)('a real one keeps what it holds for the next start', async () => {
    const first = await redisIn(dataDir);
    expect(first.persistent).toBe(true);
    await redisClient(first).set('greeting', 'hello');
    await first.close();
    const second = await redisIn(dataDir);
    expect(await redisClient(second).get('greeting')).toBe('hello');
    expect(await redisClient(second).config('GET', 'maxmemory-policy')).toEqual([
      'maxmemory-policy',
      'noeviction',
    ]);
  });

  test('the one in memory speaks sharded pub/sub and scripts, and forgets', async () => {
    const first = await redisIn(dataDir, 'js-redis-server');
    expect(first).toMatchObject({ kind: 'js-redis-server', persistent: false });
    const subscriber = redisClient(first);
    const heard = once(subscriber, 'smessage');
    await subscriber.ssubscribe('room');
    await redisClient(first).eval(
      "redis.call('SET', KEYS[1], 1) return redis.call('SPUBLISH', 'room', 'x')",
      1,
      '{room}k',
    );
    expect(await heard).toEqual(['room', 'x']);
    await first.close();
    expect(await redisClient(await redisIn(dataDir, 'js-redis-server')).dbsize()).toBe(0);
  });

  test.each(realRedis ? [undefined, 'js-redis-server' as const] : ['js-redis-server' as const])(
    'nobody outside this machine can reach it (%s)',
    async (kind) => {
      const { url } = await redisIn(dataDir, kind);
      expect(await isOpenOutside(Number(new URL(url).port))).toBe(false);
    },
  );

  test('its end is noticed in one line, and its close is not taken for a crash', async () => {
    const redis = await redisIn(dataDir);
    process.kill(redis.pid, 'SIGKILL');
    const crash = await redis.crashed;
    expect(crash).toBeInstanceOf(StartError);
    expect(crash.message).toMatch(/^The embedded Redis .*has ended[^\n]*$/);

    const other = await redisIn(dataDir);
    const crashed = vi.fn();
    void other.crashed.then(crashed);
    await other.close();
    await other.close();
    expect(crashed).not.toHaveBeenCalled();
  });

  test.runIf(realRedis)('a file that it cannot read stops the start with its reason', async () => {
    await mkdir(join(dataDir, 'redis', 'appendonlydir', 'appendonly.aof.manifest'), { recursive: true });
    await expect(redisIn(dataDir)).rejects.toThrow(/^The embedded Redis did not start: .*manifest/);
  });
});

describe('embedded Postgres', () => {
  test('keeps what was committed for the next start, and syncs it to disk', async () => {
    const first = await postgresIn(dataDir);
    const sql = sqlClient(first);
    await sql`create table notes (text text)`;
    await sql`insert into notes values ('grüße')`;
    expect(await sql`show fsync`).toEqual([{ fsync: 'on' }]);
    await first.close();
    const second = await postgresIn(dataDir);
    expect(await sqlClient(second)`select upper(text) as text from notes`).toEqual([{ text: 'GRÜßE' }]);
  });

  test('a broken-off first start is begun anew', async () => {
    await mkdir(join(dataDir, 'postgres.new', 'base'), { recursive: true });
    const server = await postgresIn(dataDir);
    expect(await sqlClient(server)`select 1 as one`).toEqual([{ one: 1 }]);
  });

  test('asks for the password and listens on the loopback address alone', async () => {
    const { url } = await postgresIn(dataDir);
    const wrong = new URL(url);
    wrong.password = 'guess';
    await expect(sqlClient({ url: wrong.href })`select 1`).rejects.toMatchObject({ code: '28P01' });
    expect(await isOpenOutside(Number(wrong.port))).toBe(false);
  });

  test('its end is noticed, and it recovers what was committed', async () => {
    const server = await postgresIn(dataDir);
    await sqlClient(server)`create table kept ()`;
    process.kill(server.pid, 'SIGKILL');
    expect((await server.crashed).message).toMatch(/^The embedded Postgres has ended/);
    expect(await sqlClient(await postgresIn(dataDir))`select from kept`).toHaveLength(0);
  });

  test('a folder below one that others may not pass is not reachable for them', async () => {
    const below = join(dataDir, 'closed', 'inner');
    await mkdir(below, { recursive: true });
    const stranger = { uid: 65534, gid: 65534 };
    expect(await isReachable(below, stranger)).toBe(true);
    await chmod(join(dataDir, 'closed'), 0o700);
    expect(await isReachable(below, stranger)).toBe(false);
  });
});

describe('on a port that somebody else has taken meanwhile', () => {
  const portOf = ({ url }: { url: string }) => Number(new URL(url).port);

  test.each(realRedis ? [undefined, 'js-redis-server' as const] : ['js-redis-server' as const])(
    'a Redis is not mistaken for ours (%s)',
    async (kind) => {
      const other = await redisIn(join(dataDir, 'other'), 'js-redis-server');
      const ours = startEmbeddedRedis({ dataDir, log, kind, port: portOf(other) });
      // In these words it is tried again on another port.
      await expect(ours).rejects.toThrow(/^The embedded Redis .*did not start: .*address already in use/i);
    },
  );

  test('neither is a Postgres', async () => {
    await mkdir(join(dataDir, 'other'));
    const other = await postgresIn(join(dataDir, 'other'));
    const ours = startEmbeddedPostgres({ dataDir, log, port: portOf(other) });
    await expect(ours).rejects.toThrow(/^The embedded Postgres did not start: .*address already in use/i);
  });
});

describe('after kill -9 of the process that holds them', () => {
  async function hold(): Promise<{ holder: ChildProcess; stores: HeldStores }> {
    const entry = new URL('../support/stores-holder.ts', import.meta.url);
    const holder = fork(entry, [dataDir], {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    undo.push(() => holder.kill('SIGKILL'));
    const [stores] = (await once(holder, 'message')) as [HeldStores];
    return { holder, stores };
  }

  test('the stores end by themselves', async () => {
    const { holder, stores } = await hold();
    holder.kill('SIGKILL');
    await vi.waitFor(
      () => {
        expect([stores.redis.pid, stores.postgres.pid].map(isGone)).toEqual([true, true]);
      },
      { timeout: 10_000 },
    );
  });

  test('the next start, at once, finds what was acknowledged', async () => {
    const { holder, stores } = await hold();
    await redisClient(stores.redis).set('n', 1);
    await sqlClient(stores.postgres)`create table n ()`;
    holder.kill('SIGKILL');
    const [redis, sql] = await Promise.all([redisIn(dataDir), postgresIn(dataDir)]);
    if (realRedis) expect(await redisClient(redis).get('n')).toBe('1');
    expect(await sqlClient(sql)`select from n`).toHaveLength(0);
  });
});

describe('servers that are left over', () => {
  test.runIf(realRedis)('a Redis on the same file is ended before another begins', async () => {
    const leftover = await redisIn(dataDir);
    await redisClient(leftover).set('n', 1);
    const next = await redisIn(dataDir);
    expect(isGone(leftover.pid)).toBe(true);
    expect(await redisClient(next).get('n')).toBe('1');
  });

  test.runIf(realRedis)('a Redis of another folder on the remembered port is left alone', async () => {
    const other = await redisIn(join(dataDir, 'other'));
    await mkdir(join(dataDir, 'redis'));
    await writeFile(join(dataDir, 'redis', 'port'), new URL(other.url).port);
    await redisIn(dataDir);
    expect(await redisClient(other).ping()).toBe('PONG');
  });

  test('a Postgres on the same folder is ended before another begins', async () => {
    const leftover = await postgresIn(dataDir);
    const next = await postgresIn(dataDir);
    expect(isGone(leftover.pid)).toBe(true);
    expect(await sqlClient(next)`select 1 as one`).toEqual([{ one: 1 }]);
  });
});

describe('throw-away servers of tests', () => {
  test('a test database is empty, one of its own, and goes although somebody is connected', async () => {
    const [one, other] = await Promise.all([createTestDatabase(), createTestDatabase()]);
    const sql = sqlClient(one);
    await sql`create table n ()`;
    const tables = await sqlClient(other)`select from pg_tables where schemaname = 'public'`;
    expect(tables).toHaveLength(0);
    await Promise.all([one.dispose(), other.dispose()]);
    await expect(sqlClient(one)`select 1`).rejects.toMatchObject({ code: '3D000' });
  });

  test('a Redis can be stopped, wiped, killed and started again at its address', async () => {
    const server = await startRedis();
    undo.push(() => server.dispose());
    const redis = redisClient(server);
    await redis.set('n', 1);
    await server.kill();
    await server.start();
    if (realRedis) expect(await redis.get('n')).toBe('1');
    await server.wipe();
    expect(await redis.dbsize()).toBe(0);
    await redis.set('n', 2);
    await server.stop();
    await server.startEmpty();
    expect(await redis.get('n')).toBeNull();
  });

  test('a Postgres can be killed and started again at its address', async () => {
    const server = await startPostgres();
    undo.push(() => server.dispose());
    await sqlClient(server)`create table n ()`;
    await server.kill();
    await server.start();
    expect(await sqlClient(server)`select from n`).toHaveLength(0);
  });
});
