import { DrizzleQueryError } from 'drizzle-orm';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { toAppError } from '../../../src/api/middleware/to-app-error.js';
import { pageOf, pageOfTurns } from '../../../src/api/page.js';
import { parse } from '../../../src/api/parse.js';
import { waitOf } from '../../../src/api/routes/messages.js';
import { createStoreWatch } from '../../../src/api/store-watch.js';
import { AppError } from '../../../src/domain/errors.js';

describe('toAppError', () => {
  const withFields = (message: string, fields: object) => Object.assign(new Error(message), fields);

  test('takes a store that is away for unavailable, however deep it is wrapped', () => {
    const away = [
      withFields('write CONNECT_TIMEOUT 127.0.0.1:5432', { code: 'CONNECT_TIMEOUT' }),
      withFields('connect ECONNREFUSED', { code: 'ECONNREFUSED' }),
      withFields('terminating connection', { name: 'PostgresError', code: '57P01' }),
      withFields('canceling statement due to lock timeout', { name: 'PostgresError', code: '55P03' }),
      withFields('Command timed out', {}),
      withFields("Stream isn't writeable and enableOfflineQueue options is false", {}),
      withFields('READONLY You can’t write against a read only replica.', {}),
      withFields('reached the max retries', { name: 'MaxRetriesPerRequestError' }),
    ];
    for (const error of away)
      expect(toAppError(new DrizzleQueryError('select', [], error))).toMatchObject({ code: 'unavailable' });
  });

  test('takes what it does not know for internal, and tells nothing of it', () => {
    const violated = withFields('duplicate key', { name: 'PostgresError', code: '23505' });
    for (const error of [
      violated,
      new Error('secret'),
      'secret',
      undefined,
      withFields('x', { status: 502 }),
    ])
      expect(toAppError(error)).toMatchObject({ code: 'internal', message: 'Something went wrong.' });
  });

  test('lets our own errors through', () => {
    const error = new AppError('forbidden', 'no');
    expect(toAppError(new Error('wrapped', { cause: error }))).toBe(error);
  });
});

test('a page has the last item of the next one’s beginning only where there is a next one', () => {
  const items = (...ids: string[]) => ids.map((id) => ({ id }));
  expect(pageOf(items('a', 'b', 'c'), 2)).toEqual({ items: items('a', 'b'), nextBefore: 'b' });
  expect(pageOf(items('a', 'b'), 2)).toEqual({ items: items('a', 'b'), nextBefore: null });
  expect(pageOf([], 2)).toEqual({ items: [], nextBefore: null });
  expect(pageOfTurns(items('a', 'b', 'c'), 2)).toEqual({ items: items('b', 'c'), nextBefore: 'b' });
  expect(pageOfTurns(items('a', 'b'), 2)).toEqual({ items: items('a', 'b'), nextBefore: null });
});

test.each([
  [undefined, 0],
  ['', 0],
  ['wait=5', 5],
  ['respond-async, wait=10', 10],
  ['Wait = "7"; foo', 7],
  ['wait=51', 50],
  ['wait=999999999', 50],
  [`wait=${'9'.repeat(400)}`, 50],
  ['await=5', 0],
  ['wait=x', 0],
  ['wait=-1', 0],
  ['wait=1.5', 0],
])('Prefer: %s waits %i seconds', (prefer, seconds) => {
  expect(waitOf(prefer)).toBe(seconds);
});

test('of several forms of a field, the fault is told of the one that was meant', () => {
  const schema = z.object({ of: z.union([z.string().max(2), z.array(z.object({ n: z.number() }))]) });
  const fault = (value: unknown) => {
    try {
      parse(schema, value);
      return undefined;
    } catch (error) {
      return (error as AppError).errors?.map(({ path }) => path);
    }
  };
  expect(fault({ of: 'ab' })).toBeUndefined();
  expect(fault({ of: 'abc' })).toEqual(['of']);
  expect(fault({ of: [{ n: 'x' }] })).toEqual(['of.0.n']);
  expect(fault({ of: 7 })).toEqual(['of']);
});

describe('the store watch', () => {
  const never = () => new Promise<never>(() => undefined);
  const soon = () => Promise.resolve();

  test('waits for slow work as long as Postgres answers', async () => {
    let probes = 0;
    let finish: (value: string) => void;
    const work = new Promise<string>((resolve) => {
      finish = resolve;
    });
    const watch = createStoreWatch({
      pingRedis: soon,
      pingPostgres: () => {
        if (++probes === 2) finish('done');
        return soon();
      },
    });
    expect(await watch.answering(work)).toBe('done');
    expect(probes).toBe(2);
  });

  test('gives up once Postgres does not, and passes on what the work fails with before', async () => {
    const watch = createStoreWatch({ pingRedis: never, pingPostgres: never });
    const begun = performance.now();
    await expect(watch.answering(never())).rejects.toMatchObject({ code: 'unavailable' });
    expect(performance.now() - begun).toBeLessThan(1200);
    await expect(watch.answering(Promise.reject(new Error('own')))).rejects.toThrow('own');
    await expect(watch.requireRedis()).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('takes Postgres for busy, not for away, while it answers others', async () => {
    const watch = createStoreWatch({ pingRedis: never, pingPostgres: never });
    const others = setInterval(() => void watch.answering(Promise.resolve()), 50);
    const work = new Promise<string>((resolve) => setTimeout(resolve, 1500, 'done'));
    expect(
      await watch.answering(work).finally(() => {
        clearInterval(others);
      }),
    ).toBe('done');
  });
});
