import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cacheSavingOf, costOf, mostForInput, tokenPrice, toNano, toUsd } from '../../../src/domain/cost.js';
import { models } from '../../../src/domain/models.js';

const usage = (changes: Partial<Parameters<typeof costOf>[1]> = {}) => ({
  inputTokens: 0,
  outputTokens: 0,
  cacheReadInputTokens: 0,
  cacheCreationInputTokens: 0,
  ...changes,
});

describe('the price of a token', () => {
  test.each(models.filter(({ pricing }) => pricing !== null))(
    'of $id is a whole number of nano-dollars, and exact',
    ({ id, pricing }) => {
      const price = tokenPrice(id);
      expect(price).not.toBeNull();
      for (const [nano, usdPerMTok] of [
        [price?.input, pricing?.inputUsdPerMTok],
        [price?.output, pricing?.outputUsdPerMTok],
        [price?.cacheRead, pricing?.cacheReadUsdPerMTok],
        [price?.cacheWrite, pricing?.cacheWriteUsdPerMTok],
      ] as const) {
        expect(Number.isInteger(nano)).toBe(true);
        expect(nano).toBeCloseTo((usdPerMTok ?? 0) * 1000, 6);
      }
    },
  );

  test.each(['demo', 'demo-of-tomorrow', 'openai:llama3.2', 'openai:claude-sonnet-4-5', 'gpt-oss:20b'])(
    'of %s is none: nobody bills it',
    (model) => {
      expect(tokenPrice(model)).toBeNull();
      expect(costOf(tokenPrice(model), usage({ inputTokens: 1000, outputTokens: 1000 }))).toBe(0);
    },
  );

  test.each([
    ['claude-of-tomorrow', 'claude-fable-5-1'],
    ['gpt-9', 'gpt-6.2-astra'],
    ['openai:gpt-9', 'gpt-6.2-astra'],
    ['o3', 'gpt-6.2-astra'],
  ])('of %s, which is not listed, is that of the dearest listed one, %s', (model, dearest) => {
    expect(tokenPrice(model)?.output).toBe(tokenPrice(dearest)?.output);
    expect(tokenPrice(model)?.input).toBe(tokenPrice(dearest)?.input);
  });

  test('of a Mistral that is not listed is at least that of each listed one', () => {
    const assumed = tokenPrice('mistral-of-tomorrow');
    for (const { id, provider } of models)
      if (provider === 'mistral') expect(assumed?.output).toBeGreaterThanOrEqual(tokenPrice(id)?.output ?? 0);
  });
});

test('a cost is the sum over all kinds of tokens', () => {
  const used = usage({
    inputTokens: 1000,
    outputTokens: 200,
    cacheReadInputTokens: 300,
    cacheCreationInputTokens: 400,
  });
  // $3, $15, $0.30 and $3.75 for a million.
  expect(costOf(tokenPrice('claude-sonnet-4-5'), used)).toBe(3_000_000 + 3_000_000 + 90_000 + 1_500_000);
});

test('the cache saves what reading from it is cheaper, less what writing to it is dearer', () => {
  const price = tokenPrice('claude-sonnet-4-5');
  expect(cacheSavingOf(price, usage({ cacheReadInputTokens: 1000 }))).toBe(2_700_000);
  expect(cacheSavingOf(price, usage({ cacheCreationInputTokens: 1000 }))).toBe(-750_000);
  expect(cacheSavingOf(null, usage({ cacheReadInputTokens: 1000 }))).toBe(0);
});

test('no input costs more than the most that was reserved for as many tokens', () => {
  const tokens = fc.nat(1_000_000);
  const priced = models.filter(({ id }) => tokenPrice(id)).map(({ id }) => id);
  fc.assert(
    fc.property(fc.constantFrom(...priced), tokens, tokens, tokens, (model, read, fresh, written) => {
      const price = tokenPrice(model);
      if (!price) return;
      const used = usage({
        inputTokens: fresh,
        cacheReadInputTokens: read,
        cacheCreationInputTokens: written,
      });
      expect(costOf(price, used)).toBeLessThanOrEqual(mostForInput(price, read + fresh + written));
    }),
  );
});

test('dollars come back from nano-dollars as they were, to the last of nine digits', () => {
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.nat(999_999_999), (dollars, nano) => {
      const usd = Number(`${dollars}.${String(nano).padStart(9, '0')}`);
      expect(toNano(usd)).toBe(dollars * 1e9 + nano);
      expect(toUsd(toNano(usd))).toBe(usd);
    }),
  );
});
