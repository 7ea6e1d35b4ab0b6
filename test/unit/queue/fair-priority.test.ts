import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fairPriority } from '../../../src/queue/generation-queue.js';

const priority = fc.integer({ min: 0, max: 10 });
/** More than anybody can have, too. */
const unfinished = fc.oneof(fc.nat(50), fc.nat(10_000_000));

describe('the priority of a job', () => {
  test('is one that BullMQ takes, and never that of a job without one', () => {
    fc.assert(
      fc.property(unfinished, priority, (count, own) => {
        const made = fairPriority(count, own);
        expect(Number.isInteger(made)).toBe(true);
        expect(made).toBeGreaterThanOrEqual(1);
        expect(made).toBeLessThanOrEqual(2_097_151);
      }),
    );
  });

  test("puts everybody's first before anybody's second, whatever their own priorities", () => {
    fc.assert(
      fc.property(fc.nat(100_000), priority, priority, (count, own, others) => {
        expect(fairPriority(count, own)).toBeLessThan(fairPriority(count + 1, others));
      }),
    );
  });

  test('goes by their own among equals', () => {
    fc.assert(
      fc.property(unfinished, priority, priority, (count, one, other) => {
        expect(Math.sign(fairPriority(count, one) - fairPriority(count, other))).toBe(Math.sign(one - other));
      }),
    );
  });
});
