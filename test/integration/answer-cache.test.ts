import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLogger } from '../../src/lib/logger.js';
import { AnswerCache } from '../../src/redis/answer-cache.js';
import { openSubscriber } from '../../src/redis/cluster-subscriber.js';
import { connectRedis, whenReady, type RedisClient } from '../../src/redis/connect.js';
import { createKeys, type Keys } from '../../src/redis/keys.js';
import type { Subscriptions } from '../../src/redis/subscriber.js';
import { testKeyPrefix, testRedisUrl } from '../support/stores.js';

/** The cache of answers itself, over a real Redis: who has the turn, who waits, what is kept. */

const log = createLogger({ level: 'silent', role: 'test' });
const never = new AbortController().signal;
let redis: RedisClient;
let keys: Keys;
let subscriber: Subscriptions;
let cache: AnswerCache;

beforeAll(async () => {
  redis = connectRedis(testRedisUrl(), 'commands', log);
  const subscribing = connectRedis(testRedisUrl(), 'subscriber', log);
  await Promise.all([whenReady(redis, 5000), whenReady(subscribing, 5000)]);
  subscriber = openSubscriber(subscribing, log);
  keys = createKeys(testKeyPrefix());
  // A turn that nobody renews lasts as long as the test: who waits is woken by its end alone.
  cache = new AnswerCache({ redis, keys, maxBytes: 1000, turnTtlMs: 60_000 });
  await cache.listen(subscriber);
});
afterAll(() => {
  subscriber.close();
  redis.disconnect();
});

const asker = (request: string, attempt = 1) => ({ request, generationId: randomUUID(), attempt });

test('the first has the turn, the others wait for its end and get the answer', async () => {
  const [first, second, third] = [asker('r1'), asker('r1'), asker('r1')];
  expect(await cache.take(first)).toEqual({ kind: 'turn' });
  expect(await cache.take(second)).toMatchObject({ kind: 'held' });
  const waiting = [cache.wait(second, never), cache.wait(third, never)];
  expect(await cache.end(first, '"yes"')).toBe(true);
  expect(await Promise.all(waiting)).toEqual([
    { kind: 'answer', answer: '"yes"' },
    { kind: 'answer', answer: '"yes"' },
  ]);
});

test('a turn that ends without an answer goes to one of those who wait', async () => {
  const [first, second, third] = [asker('r2'), asker('r2'), asker('r2')];
  await cache.take(first);
  const waiting = [
    cache.wait(second, never).then((taken) => ({ by: second, taken })),
    cache.wait(third, never).then((taken) => ({ by: third, taken })),
  ];
  expect(await cache.end(first, undefined)).toBe(false);
  const { by, taken } = await Promise.race(waiting);
  expect(taken).toEqual({ kind: 'turn' });
  await cache.end(by, '"its own"');
  const kinds = (await Promise.all(waiting)).map((each) => each.taken.kind);
  expect(kinds.toSorted()).toEqual(['answer', 'turn']);
});

test('a turn that nobody renews runs out', async () => {
  const impatient = new AnswerCache({ redis, keys, maxBytes: 1000, turnTtlMs: 100 });
  const [dead, next] = [asker('r3'), asker('r3')];
  expect(await impatient.take(dead)).toEqual({ kind: 'turn' });
  expect(await impatient.wait(next, never)).toEqual({ kind: 'turn' });
  // Whoever comes back from the dead keeps nothing, and ends nobody else's turn.
  expect(await impatient.renew(dead)).toBe(false);
  expect(await impatient.end(dead, '"late"')).toBe(false);
  expect(await impatient.end(next, '"in time"')).toBe(true);
  expect(await cache.take(asker('r3'))).toEqual({ kind: 'answer', answer: '"in time"' });
});

test('a turn is renewed, and taken over by a later attempt of its generation alone', async () => {
  const first = asker('r4');
  const second = { ...first, attempt: 2 };
  await cache.take(first);
  expect(await cache.renew(first)).toBe(true);
  expect(await cache.renew(asker('r4', 2))).toBe(false);
  expect(await cache.renew(second)).toBe(true);
  expect(await cache.renew(first)).toBe(false);
  expect(await cache.end(first, '"old"')).toBe(false);
  expect(await cache.take(first)).toMatchObject({ kind: 'held' });
  expect(await cache.take(second)).toEqual({ kind: 'turn' });
  expect(await cache.end(second, '"new"')).toBe(true);
});

test('who waits is let go by the signal', async () => {
  const [first, second] = [asker('r5'), asker('r5')];
  await cache.take(first);
  const leaving = new AbortController();
  const waiting = cache.wait(second, leaving.signal);
  const reason = new Error('enough');
  leaving.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  await expect(cache.wait(second, leaving.signal)).rejects.toBe(reason);
  expect(await cache.end(first, '"kept all the same"')).toBe(true);
});

describe('what is kept', () => {
  const keep = async (request: string, answer: string) => {
    const by = asker(request);
    await cache.take(by);
    return cache.end(by, answer);
  };
  const has = async (request: string) => {
    const by = asker(request);
    const { kind } = await cache.take(by);
    if (kind === 'turn') await cache.end(by, undefined);
    return kind === 'answer';
  };

  test('is at most so much, the oldest going first', async () => {
    const names = Array.from({ length: 8 }, (_, at) => `size ${at}`);
    for (const name of names) expect(await keep(name, 'ü'.repeat(100))).toBe(true);
    // Of 200 bytes each.
    expect(Number(await redis.get(keys.cachedBytes))).toBe(1000);
    expect(await redis.hlen(keys.cachedAnswers)).toBe(5);
    expect(await Promise.all(names.map(has))).toEqual([false, false, false, true, true, true, true, true]);
    expect(await keep('too long', 'x'.repeat(1001))).toBe(false);
    expect(await redis.hlen(keys.cachedAnswers)).toBe(5);
  });

  test('is kept for its time, and nothing is left without one', async () => {
    const brief = new AnswerCache({ redis, keys, maxBytes: 1000, answerTtlMs: 1 });
    const by = asker('brief');
    await brief.take(by);
    await brief.end(by, '"gone soon"');
    const later = asker('brief');
    await expect.poll(() => cache.take(later)).toEqual({ kind: 'turn' });
    await cache.end(later, '"again"');
    expect(Number(await redis.get(keys.cachedBytes))).toBe(
      (await redis.hvals(keys.cachedAnswers)).reduce((sum, answer) => sum + Buffer.byteLength(answer), 0),
    );
    const all = await redis.keys(`${keys.cacheTurn('').replace(/turn:$/, '')}*`);
    expect(all.length).toBeGreaterThan(3);
    // −1: for ever; −2: it has expired since it was listed.
    for (const key of all) expect(await redis.pttl(key), key).not.toBe(-1);
  });

  test('is forgotten for who made it and for who got it', async () => {
    const [maker, reader] = [asker('forget'), asker('forget')];
    await cache.take(maker);
    await cache.end(maker, '"one"');
    await cache.take(reader);
    await cache.forget(reader.generationId);
    expect(await has('forget')).toBe(false);
    await cache.forget(maker.generationId);
    await cache.forget(randomUUID());
    expect(await keep('forget', '"two"')).toBe(true);
    await cache.forget(maker.generationId);
    expect(await has('forget')).toBe(false);
    expect(Number(await redis.get(keys.cachedBytes))).toBe(
      (await redis.hvals(keys.cachedAnswers)).reduce((sum, answer) => sum + Buffer.byteLength(answer), 0),
    );
  });

  test('is not kept of who is forgotten while it has the turn, and who waits gets that', async () => {
    const [maker, next] = [asker('forgotten'), asker('forgotten')];
    await cache.take(maker);
    const waiting = cache.wait(next, never);
    await cache.forget(maker.generationId);
    expect(await waiting).toEqual({ kind: 'turn' });
    expect(await cache.renew(maker)).toBe(false);
    expect(await cache.end(maker, '"secret"')).toBe(false);
    expect(await cache.end(next, undefined)).toBe(false);
    expect(await has('forgotten')).toBe(false);
  });
});
