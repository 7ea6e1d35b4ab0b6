import fc from 'fast-check';
import { expect, test } from 'vitest';
import { retryDelayMs } from '../../../src/client/retry-delay.js';

test('the most that a try is waited for doubles to ten seconds', () => {
  expect([0, 1, 2, 3, 4, 5, 50].map((failed) => retryDelayMs(failed, 1))).toEqual([
    500, 1000, 2000, 4000, 8000, 10_000, 10_000,
  ]);
  expect([0, 1, 9].map((failed) => retryDelayMs(failed, 1, 40))).toEqual([40, 80, 10_000]);
});

test('the wait is spread evenly from nothing to the most', () => {
  fc.assert(
    fc.property(
      fc.nat(2000),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (failed, random) => {
        expect(retryDelayMs(failed, random)).toBe(Math.round(retryDelayMs(failed, 1) * random));
      },
    ),
  );
});
