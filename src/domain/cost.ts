import type { Usage } from './generation.js';
import type { providerOf } from './models.js';
import { modelInfo, models, type ModelPricing } from './models.js';

/**
 * What calls of models cost. Money is counted in whole nano-dollars (10⁻⁹ USD): every price there is comes to a whole
 * number of them for a token, so that sums are exact, and 9 million dollars still fit a number.
 */
export type NanoUsd = number;

const nanoPerUsd = 1_000_000_000;

export const toNano = (usd: number): NanoUsd => Math.round(usd * nanoPerUsd);
export const toUsd = (nano: NanoUsd): number => nano / nanoPerUsd;

/** What one token costs. */
export interface TokenPrice {
  input: NanoUsd;
  output: NanoUsd;
  cacheRead: NanoUsd;
  cacheWrite: NanoUsd;
}

/** OpenAI's own; others that speak its format may have any name, and cost nothing that we know of. */
const openaiName = /^(openai:)?(gpt-\d|o[1-4](?![a-z\d])|chatgpt-)/;

/**
 * The price of a model. One that is not listed, of a provider that gives nothing away, costs what the dearest listed
 * one does: a name that nobody knows is no way around a budget. Null: it costs nothing (demo, servers of one's own).
 */
export function tokenPrice(model: string): TokenPrice | null {
  const { pricing, provider } = modelInfo(model);
  if (pricing) return toTokenPrice(pricing);
  switch (provider) {
    case 'anthropic':
    case 'mistral':
      return dearest(provider);
    case 'openai':
      return openaiName.test(model) ? dearest(provider) : null;
    case 'demo':
      return null;
  }
}

/** A price for a million tokens in dollars is a thousandth of it for one in nano-dollars. */
const toTokenPrice = (pricing: ModelPricing): TokenPrice => ({
  input: Math.round(pricing.inputUsdPerMTok * 1000),
  output: Math.round(pricing.outputUsdPerMTok * 1000),
  cacheRead: Math.round(pricing.cacheReadUsdPerMTok * 1000),
  cacheWrite: Math.round(pricing.cacheWriteUsdPerMTok * 1000),
});

function dearest(provider: ReturnType<typeof providerOf>): TokenPrice {
  const prices = models.flatMap((model) =>
    model.provider === provider && model.pricing ? [toTokenPrice(model.pricing)] : [],
  );
  const most = (of: (price: TokenPrice) => number) => Math.max(0, ...prices.map(of));
  return {
    input: most(({ input }) => input),
    output: most(({ output }) => output),
    cacheRead: most(({ cacheRead }) => cacheRead),
    cacheWrite: most(({ cacheWrite }) => cacheWrite),
  };
}

/** What was used costs this. */
export function costOf(price: TokenPrice | null, usage: Usage): NanoUsd {
  if (!price) return 0;
  return (
    usage.inputTokens * price.input +
    usage.outputTokens * price.output +
    usage.cacheReadInputTokens * price.cacheRead +
    usage.cacheCreationInputTokens * price.cacheWrite
  );
}

/** What reading from the provider's cache has saved, less what writing to it cost more; negative: nothing yet. */
export function cacheSavingOf(price: TokenPrice | null, usage: Usage): NanoUsd {
  if (!price) return 0;
  return (
    usage.cacheReadInputTokens * (price.input - price.cacheRead) -
    usage.cacheCreationInputTokens * (price.cacheWrite - price.input)
  );
}

/** The most that reading so many tokens can cost: all of them may be written to the provider's cache. */
export const mostForInput = (price: TokenPrice, tokens: number): NanoUsd =>
  tokens * Math.max(price.input, price.cacheWrite);
