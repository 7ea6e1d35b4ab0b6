import fc from 'fast-check';
import { expect, test } from 'vitest';
import { retryDelayMs } from '../../../src/client/retry-delay.js';

test('the wait before a try doubles to ten seconds', () => {
  expect([0, 1, 2, 3, 4, 5, 50].map((failed) => retryDelayMs(failed, 0.5))).toEqual([
    500, 1000, 2000, 4000, 8000, 10_000, 10_000,
  ]);
});

test('the wait is spread by no more than a quarter either way', () => {
  fc.assert(
    fc.property(
      fc.nat(2000),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (failed, random) => {
        const middle = retryDelayMs(failed, 0.5);
        const delay = retryDelayMs(failed, random);
        expect(delay).toBeGreaterThanOrEqual(Math.floor(middle * 0.75));
        expect(delay).toBeLessThanOrEqual(Math.ceil(middle * 1.25));
      },
    ),
  );
});
