import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { together } from '../../../src/lib/together.js';

test('answers what each has, in their order', async () => {
  expect(await together([sleep(5).then(() => 'late'), Promise.resolve(2), undefined, 'plain'])).toEqual([
    'late',
    2,
    undefined,
    'plain',
  ]);
});

test('fails with what failed first, once all that goes on beside it is over', async () => {
  let over = false;
  const failing = together([
    sleep(20).then(() => {
      over = true;
      throw new Error('second');
    }),
    Promise.reject(new Error('first')),
  ]);
  await expect(failing).rejects.toThrow('first');
  expect(over).toBe(true);
});
