import { createServer, request, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { migrateDatabase } from '../../../src/store/database.js';
import { runCli } from '../../support/cli.js';
import { createTestDatabase, hasRealRedis, startRedis, testRedisUrl } from '../../support/stores.js';
import { startSystem, type System } from '../../support/system.js';
import { ownPort } from '../../support/own-port.js';
import postgres from 'postgres';

/** `tokencast doctor` as a process, on set-ups that are in order and on broken ones. */

let system: System;
beforeAll(async () => {
  system = await startSystem({ env: { DEMO_TOKENS_PER_SECOND: '60' } });
});
afterAll(async () => {
  await system.stop();
});

/** Settings of a machine on which all is well. */
const settings = async () => ({
  REDIS_URL: testRedisUrl(),
  DATABASE_URL: system.databaseUrl,
  PORT: String(await ownPort()),
  ANTHROPIC_API_KEY: `sk-ant-api03-${'x'.repeat(40)}`,
});

test('a set-up that is in order is told so', async () => {
  const { code, out, said } = await runCli(['doctor'], await settings());
  expect(said).toBe('');
  expect(out).not.toContain('✗');
  expect(out).toMatch(/✓ Node v\d+/);
  expect(out).toContain('✓ ANTHROPIC_API_KEY is set');
  expect(out).toMatch(/✓ (Redis|Valkey) \d+\.\d+\.\d+ answers in/);
  expect(out).toMatch(/✓ Postgres \d+\.\d+ answers/);
  expect(out).toMatch(/✓ Postgres: all \d+ migrations are applied/);
  expect(out).toMatch(/✓ PORT \d+ on 127\.0\.0\.1 is free/);
  expect(out).toMatch(/\n\d+ fine, \d+ to think about, 0 broken\.\n$/);
  expect(code).toBe(0);
});

test('an evicting Redis, a Postgres that is away, a taken port and mistakes in settings are told, with what to do', async (context) => {
  if (!(await hasRealRedis())) context.skip('no redis-server is installed');
  const redis = await startRedis();
  const other = createServer((_request, response) => response.end('somebody else')).listen(0, '127.0.0.1');
  try {
    await once(other, 'listening');
    await redis.configure('maxmemory-policy', 'allkeys-lru');
    await redis.configure('appendonly', 'no');
    const { port } = other.address() as AddressInfo;
    const { code, out } = await runCli(['doctor'], {
      REDIS_URL: redis.url,
      DATABASE_URL: 'postgres://ada:secret-word@127.0.0.1:1/none',
      PORT: String(port),
      WORKER_CONCURENCY: '5',
      OPENAI_API_KEY: '"sk-quoted"',
      DEFAULT_MODEL: 'mistral-large-latest',
    });
    expect(code).toBe(1);
    expect(out).toContain('✗ Redis may throw keys away: maxmemory-policy is allkeys-lru\n  → ');
    expect(out).toContain('! Redis has no append-only file\n  → ');
    expect(out).toMatch(
      /✗ Postgres cannot be used: connect ECONNREFUSED 127\.0\.0\.1:1\n {2}→ Check DATABASE_URL/,
    );
    expect(out).toContain(`✗ PORT ${port} on 127.0.0.1 is in use by another program\n  → `);
    expect(out).toContain('! WORKER_CONCURENCY is not read by anybody\n  → Did you mean WORKER_CONCURRENCY?');
    expect(out).toContain('✗ OPENAI_API_KEY has spaces or quotes in it');
    expect(out).toContain(
      '✗ DEFAULT_MODEL is mistral-large-latest, and its provider has no key\n  → Set MISTRAL_API_KEY',
    );
    expect(out).toMatch(/, 5 broken\.\n$/);
    expect(out).not.toContain('secret-word');

    await redis.stop();
    const wrong = await runCli(['doctor', '--role', 'api'], {
      REDIS_URL: redis.url,
      DATABASE_URL: system.databaseUrl,
    });
    expect(wrong.out).toContain('✗ AUTH_SECRET is required');
    const away = await runCli(['doctor'], { ...(await settings()), REDIS_URL: redis.url });
    expect(away.out).toMatch(/✗ Redis cannot be used: connect ECONNREFUSED/);
    expect(away.code).toBe(1);
  } finally {
    other.close();
    await redis.dispose();
  }
});

test('a database that was never migrated, one that is behind and one that is ahead are told', async () => {
  const database = await createTestDatabase();
  const sql = postgres(database.url, { max: 1, onnotice: () => undefined });
  const look = async () =>
    (await runCli(['doctor'], { ...(await settings()), DATABASE_URL: database.url })).out;
  try {
    expect(await look()).toContain('✓ Postgres: empty; the first start makes the tables');
    await migrateDatabase(database.url);
    await sql`delete from drizzle.__drizzle_migrations where created_at = (select max(created_at) from drizzle.__drizzle_migrations)`;
    expect(await look()).toContain('! 1 migrations are not applied yet');
    await sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('x', 9999999999999)`;
    expect(await look()).toContain('✗ The database was migrated by a newer Tokencast than this one');
  } finally {
    await sql.end();
    await database.dispose();
  }
});

/** What stands in front of the api: it passes everything on but upgrades, and answers when it likes to. */
async function startFront(hold: 'all' | 'lumps'): Promise<{ url: string; close: () => void }> {
  const target = new URL(system.api().url);
  const front: Server = createServer((incoming, outgoing) => {
    const { method, headers, url = '/' } = incoming;
    const passed = request(new URL(url, target), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, { ...answer.headers, server: 'nginx' });
      const waiting: Buffer[] = [];
      const give = () => {
        for (const piece of waiting.splice(0)) outgoing.write(piece);
      };
      const isStream = answer.headers['content-type']?.startsWith('text/event-stream') ?? false;
      const timer = hold === 'lumps' && isStream ? setInterval(give, 1500) : undefined;
      answer.on('data', (piece: Buffer) => {
        waiting.push(piece);
        if (!isStream) give();
      });
      answer.on('close', () => {
        clearInterval(timer);
        give();
        outgoing.end();
      });
      outgoing.on('close', () => answer.destroy());
    });
    passed.on('error', () => outgoing.destroy());
    incoming.pipe(passed);
  }).listen(0, '127.0.0.1');
  await once(front, 'listening');
  return {
    url: `http://127.0.0.1:${(front.address() as AddressInfo).port}`,
    close: () => {
      front.close();
      front.closeAllConnections();
    },
  };
}

test('a proxy that buffers and one that gives text in lumps are found out, and that sockets do not pass', async () => {
  const [silent, lumpy] = await Promise.all([startFront('all'), startFront('lumps')]);
  try {
    const own = await settings();
    const [held, lumps] = await Promise.all(
      [silent, lumpy].map(({ url }) => runCli(['doctor', '--url', url], own)),
    );
    for (const each of [held, lumps]) {
      expect(each?.code).toBe(1);
      expect(each?.out).toContain('✓ Uploads of 2 MiB pass');
      expect(each?.out).toMatch(/✗ WebSocket upgrades do not pass: .*\n {2}→ /);
    }
    expect(held?.out).toContain(
      '✗ Event streams are held up: not even their first event comes (in front: nginx)\n  → nginx: proxy_buffering off',
    );
    expect(lumps?.out).toMatch(
      /✗ Event streams come in lumps: text came up to \d\.\d s late \(in front: nginx\)/,
    );
  } finally {
    silent.close();
    lumpy.close();
  }
});

test('a server that is reached as it is, is told to be in order', async () => {
  const { code, out } = await runCli(['doctor', '--url', system.api().url], await settings());
  expect(out).toMatch(/✓ Tokencast \d+\.\d+\.\d+ on both sides\n/);
  expect(out).toContain('✓ WebSocket upgrades pass');
  expect(out).toContain('✓ Event streams come as they are written');
  expect(code).toBe(0);
});

test('a server that does not answer, and one that is not ours, are told', async () => {
  const own = await settings();
  const nobody = await runCli(['doctor', '--url', `http://127.0.0.1:${await ownPort()}`], own);
  expect(nobody.code).toBe(1);
  expect(nobody.out).toContain('does not answer: connect ECONNREFUSED');
  const other = createServer((_request, response) => response.writeHead(404).end('nothing')).listen(
    0,
    '127.0.0.1',
  );
  await once(other, 'listening');
  const strange = await runCli(
    ['doctor', '--url', `http://127.0.0.1:${(other.address() as AddressInfo).port}`],
    own,
  );
  other.close();
  expect(strange.out).toMatch(/✗ http\S+\/readyz answers 404, which is not from Tokencast\n/);
  expect(strange.code).toBe(1);
});
