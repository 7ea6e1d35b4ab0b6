import { afterAll, describe, expect, test } from 'vitest';
import { ThreadLimitError, ThreadPool } from '../../../src/lib/thread-pool.js';

const pool = new ThreadPool();
afterAll(() => pool.close());

const file = new URL('../../support/busy-thread.js', import.meta.url);
const run = (data: object, options: { timeoutMs?: number; signal?: AbortSignal } = {}) =>
  pool.run<string>({ file, data, timeoutMs: 5000, ...options });

describe('work in a thread', () => {
  test('answers, or fails with what it throws', async () => {
    expect(await run({ answer: 'yes' })).toBe('yes');
    await expect(run({ fail: 'no' })).rejects.toThrow('no');
  });

  test('is given up when it takes too long, and the next goes on', async () => {
    await expect(run({ forever: true }, { timeoutMs: 50 })).rejects.toThrow(ThreadLimitError);
    expect(await run({ answer: 'still here' })).toBe('still here');
  });

  test('is given up when it takes too much memory', async () => {
    await expect(run({ fill: true }, { timeoutMs: 30_000 })).rejects.toThrow('took more than 256 MB');
  }, 40_000);

  test('is not given up for the time that its thread takes to start', async () => {
    const fresh = new ThreadPool();
    expect(await fresh.run({ file, data: { answer: 'yes' }, timeoutMs: 20 })).toBe('yes');
    await fresh.close();
  });

  test('stops with its signal', async () => {
    const controller = new AbortController();
    const failed = expect(run({ forever: true }, { signal: controller.signal })).rejects.toThrow('enough');
    controller.abort(new Error('enough'));
    await failed;
    await expect(run({ answer: 'x' }, { signal: controller.signal })).rejects.toThrow('enough');
  });
});
