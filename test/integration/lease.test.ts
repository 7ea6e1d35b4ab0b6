import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createLogger } from '../../src/lib/logger.js';
import { connectRedis, whenReady, type RedisClient } from '../../src/redis/connect.js';
import { createKeys } from '../../src/redis/keys.js';
import { Lease } from '../../src/redis/lease.js';
import { testKeyPrefix, testRedisUrl } from '../support/stores.js';
import { startSystem } from '../support/system.js';

let redis: RedisClient;

beforeAll(async () => {
  redis = connectRedis(testRedisUrl(), 'commands', createLogger({ level: 'silent', role: 'test' }));
  await whenReady(redis, 5000);
});
afterAll(() => {
  redis.disconnect();
});

const twoLeases = (ttlMs: number) => {
  const key = createKeys(testKeyPrefix()).sweeper;
  return { key, one: new Lease({ redis, key, ttlMs }), other: new Lease({ redis, key, ttlMs }) };
};

test('one has it until it gives it back; nobody gives back what another one has', async () => {
  const { one, other } = twoLeases(60_000);
  expect(await one.take()).toBe(true);
  expect(await other.take()).toBe(false);
  await other.end();
  expect(await one.take()).toBe(true);
  await one.end();
  expect(await other.take()).toBe(true);
  expect(await one.take()).toBe(false);
});

test('it ends by itself where it is not kept, and is kept by taking it', async () => {
  const { key, one, other } = twoLeases(200);
  expect(await one.take()).toBe(true);
  await expect.poll(() => redis.pttl(key)).toBeLessThan(100);
  expect(await one.take()).toBe(true);
  expect(await redis.pttl(key)).toBeGreaterThan(100);
  await expect.poll(() => other.take()).toBe(true);
});

test('one whose time is lost, or longer than a lease lasts, is free for another, but not given back by it', async () => {
  const { key, one, other } = twoLeases(60_000);
  for (const spoil of [() => redis.persist(key), () => redis.pexpire(key, 3_600_000)]) {
    expect(await one.take()).toBe(true);
    expect(await spoil()).toBe(1);
    await other.end();
    expect(await redis.exists(key)).toBe(1);
    expect(await other.take()).toBe(true);
    expect(await redis.pttl(key)).toSatisfy((left: number) => left > 0 && left <= 60_000);
    expect(await one.take()).toBe(false);
    await other.end();
  }
});

test('when the worker that sweeps is killed another one follows before the locks of its work are over', async () => {
  const system = await startSystem({ env: { DEFAULT_MODEL: 'demo' } });
  onTestFinished(() => system.stop());
  const direct = new Redis(system.redisUrl);
  onTestFinished(() => {
    direct.disconnect();
  });
  const { sweeper } = createKeys(system.keyPrefix);
  await expect.poll(() => direct.get(sweeper), { timeout: 10_000 }).not.toBeNull();
  const first = await direct.get(sweeper);
  await system.add('worker');
  expect(await direct.get(sweeper)).toBe(first);
  system.worker().kill('SIGKILL');
  await system.worker().exited();
  const isAnother = (holder: string | null) => holder !== null && holder !== first;
  await expect.poll(() => direct.get(sweeper), { timeout: 5000 }).toSatisfy(isAnother);
});
