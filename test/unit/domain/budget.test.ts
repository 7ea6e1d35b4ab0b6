import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { grantOf, leastTokens, utcDay } from '../../../src/domain/budget.js';

const wanted = fc.record({
  inputNano: fc.nat(1_000_000),
  outputNano: fc.integer({ min: 1, max: 50_000 }),
  maxTokens: fc.integer({ min: 1, max: 100_000 }),
  leastTokens: fc.integer({ min: 1, max: 100 }),
});

describe('what is granted of a call', () => {
  test('is all of it where nothing limits, and never more than is left', () => {
    fc.assert(
      fc.property(wanted, fc.integer({ min: -1_000_000, max: 5_000_000_000 }), (given, left) => {
        const call = { ...given, leastTokens: Math.min(given.leastTokens, given.maxTokens) };
        const costOf = (tokens: number) => call.inputNano + tokens * call.outputNano;
        expect(grantOf(call, Infinity)).toEqual({ nano: costOf(call.maxTokens), maxTokens: call.maxTokens });
        const grant = grantOf(call, left);
        if (!grant) {
          expect(costOf(call.leastTokens)).toBeGreaterThan(left);
          return;
        }
        expect(grant.nano).toBe(costOf(grant.maxTokens));
        expect(grant.nano).toBeLessThanOrEqual(left);
        expect(grant.maxTokens).toBeGreaterThanOrEqual(call.leastTokens);
        expect(grant.maxTokens).toBeLessThanOrEqual(call.maxTokens);
        // As many as there is money for.
        if (grant.maxTokens < call.maxTokens) expect(costOf(grant.maxTokens + 1)).toBeGreaterThan(left);
      }),
    );
  });

  test('is all or nothing where output has no price', () => {
    const call = { inputNano: 100, outputNano: 0, maxTokens: 50, leastTokens: 1 };
    expect(grantOf(call, 100)).toEqual({ nano: 100, maxTokens: 50 });
    expect(grantOf(call, 99)).toBeUndefined();
  });
});

test.each([
  [{}, 4096, 16],
  [{}, 3, 3],
  [{ thinking: { type: 'adaptive' as const } }, 4096, 16],
  [{ thinking: { type: 'enabled' as const, budgetTokens: 2000 } }, 4096, 2016],
  [{ thinking: { type: 'enabled' as const, budgetTokens: 2000 } }, 1000, 1000],
])('with %j and at most %i tokens, fewer than %i are not worth asking for', (options, maxTokens, least) => {
  expect(leastTokens(options, maxTokens)).toBe(least);
});

test('a day begins at midnight in Greenwich', () => {
  expect(utcDay(new Date('2026-03-01T00:00:00+01:00'))).toBe('2026-02-28');
  expect(utcDay(new Date('2026-03-01T00:00:00Z'))).toBe('2026-03-01');
});
