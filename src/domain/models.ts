/** The models that are known by name, and which provider serves a name. */

export const providerNames = ['anthropic', 'mistral', 'openai', 'demo'] as const;
export type ProviderName = (typeof providerNames)[number];

export interface ModelPricing {
  /** US dollars for a million tokens. */
  inputUsdPerMTok: number;
  outputUsdPerMTok: number;
  cacheReadUsdPerMTok: number;
  cacheWriteUsdPerMTok: number;
}

export interface Model {
  id: string;
  provider: ProviderName;
  contextTokens: number;
  maxOutputTokens: number;
  pricing: ModelPricing | null;
  abilities: ModelAbilities;
}

export interface ModelAbilities {
  thinking: boolean;
  tools: boolean;
  /**
   * Whether a partial assistant message may end the request, for the model to go on from. Models after the 4.5
   * generation refuse it (https://docs.anthropic.com/en/docs/build-with-claude/prefill-claudes-response).
   */
  prefill: boolean;
}

const patterns: readonly (readonly [ProviderName, RegExp])[] = [
  ['anthropic', /^claude-./],
  ['mistral', /^(mistral|ministral|codestral|magistral)-./],
  ['openai', /^(gpt-.|o[1-4]|openai:.)/],
  ['demo', /^demo/],
];

/** The provider that serves a model of this name; undefined: nobody knows it. */
export function providerOf(model: string): ProviderName | undefined {
  return patterns.find(([, pattern]) => pattern.test(model))?.[0];
}

const claude = (
  id: string,
  contextTokens: number,
  maxOutputTokens: number,
  input: number,
  output: number,
  prefill: boolean,
): Model => ({
  id,
  provider: 'anthropic',
  contextTokens,
  maxOutputTokens,
  pricing: {
    inputUsdPerMTok: input,
    outputUsdPerMTok: output,
    cacheReadUsdPerMTok: input / 10,
    cacheWriteUsdPerMTok: input * 1.25,
  },
  abilities: { thinking: true, tools: true, prefill },
});

interface Facts {
  contextTokens: number;
  maxOutputTokens: number;
  /** US dollars for a million tokens: read, read from the cache, written. */
  usd: readonly [input: number, cached: number, output: number];
  thinking?: boolean;
  tools?: boolean;
}

/** Mistral takes a prefill as `prefix`. It has no price for writing to its cache, and the one for reading is the rule. */
const mistral = (id: string, facts: Omit<Facts, 'usd'> & { usd: readonly [number, number] }): Model => {
  const [input, output] = facts.usd;
  return model(
    'mistral',
    id,
    { ...facts, usd: [input, input / 10, output] },
    { write: input, prefill: true },
  );
};

/** They can read more, but above this OpenAI's newer models cost twice as much: no history is sent that is longer. */
const openaiContextTokens = 272_000;

/** GPT-6 writes to its cache at a quarter above the price of reading; the models before for nothing. */
const openai = (id: string, facts: Omit<Facts, 'contextTokens'> & { contextTokens?: number }): Model => {
  const [input] = facts.usd;
  return model(
    'openai',
    id,
    { contextTokens: openaiContextTokens, ...facts },
    { write: id.startsWith('gpt-6') ? input * 1.25 : input, prefill: false },
  );
};

function model(
  provider: ProviderName,
  id: string,
  { contextTokens, maxOutputTokens, usd, thinking = false, tools = true }: Facts,
  { write, prefill }: { write: number; prefill: boolean },
): Model {
  const [input, cached, output] = usd;
  return {
    id,
    provider,
    contextTokens,
    maxOutputTokens,
    pricing: {
      inputUsdPerMTok: input,
      outputUsdPerMTok: output,
      cacheReadUsdPerMTok: cached,
      cacheWriteUsdPerMTok: write,
    },
    abilities: { thinking, tools, prefill },
  };
}

const demo = (id: string): Model => ({
  id,
  provider: 'demo',
  contextTokens: 200_000,
  maxOutputTokens: 64_000,
  pricing: null,
  abilities: { thinking: true, tools: true, prefill: true },
});

/** The models that are offered by name; others of a known provider work too, with careful assumptions. */
export const models: readonly Model[] = [
  claude('claude-fable-5-1', 1_000_000, 128_000, 10, 50, false),
  claude('claude-opus-5-5', 1_000_000, 128_000, 4, 20, false),
  claude('claude-sonnet-5-5', 1_000_000, 128_000, 2, 10, false),
  claude('claude-opus-4-6', 200_000, 128_000, 5, 25, false),
  claude('claude-sonnet-4-6', 200_000, 64_000, 3, 15, false),
  claude('claude-opus-4-5', 200_000, 64_000, 5, 25, true),
  claude('claude-sonnet-4-5', 200_000, 64_000, 3, 15, true),
  claude('claude-haiku-4-5', 200_000, 64_000, 1, 5, true),
  mistral('mistral-large-latest', { contextTokens: 262_144, maxOutputTokens: 131_072, usd: [1.36, 4.18] }),
  mistral('mistral-medium-latest', {
    contextTokens: 262_144,
    maxOutputTokens: 131_072,
    usd: [1.5, 7.5],
    thinking: true,
  }),
  mistral('mistral-small-latest', {
    contextTokens: 262_144,
    maxOutputTokens: 131_072,
    usd: [0.15, 0.6],
    thinking: true,
  }),
  mistral('ministral-8b-latest', { contextTokens: 262_144, maxOutputTokens: 131_072, usd: [0.15, 0.15] }),
  mistral('codestral-latest', { contextTokens: 256_000, maxOutputTokens: 131_072, usd: [0.3, 0.9] }),
  mistral('magistral-medium-latest', {
    contextTokens: 128_000,
    maxOutputTokens: 40_960,
    usd: [2, 5],
    thinking: true,
  }),
  // In chat completions the first two call no tools.
  openai('gpt-6.2-astra', { maxOutputTokens: 128_000, usd: [8, 0.4, 40], thinking: true, tools: false }),
  openai('gpt-6.2-sol', { maxOutputTokens: 128_000, usd: [2, 0.1, 10], thinking: true, tools: false }),
  openai('gpt-6.1-terra', { maxOutputTokens: 128_000, usd: [1, 0.05, 5], thinking: true }),
  openai('gpt-6-luna', { maxOutputTokens: 128_000, usd: [0.1, 0.01, 0.5], thinking: true }),
  openai('gpt-5.4-mini', { maxOutputTokens: 128_000, usd: [0.75, 0.075, 4.5], thinking: true }),
  openai('gpt-4.1', { contextTokens: 1_047_576, maxOutputTokens: 32_768, usd: [2, 0.5, 8] }),
  openai('gpt-4.1-mini', { contextTokens: 1_047_576, maxOutputTokens: 32_768, usd: [0.4, 0.1, 1.6] }),
  demo('demo'),
  demo('demo-fast'),
  demo('demo-slow'),
];

/** The model used when neither request nor setting names one and there is a key for it. */
export const defaultClaudeModel = 'claude-sonnet-5-5';

/**
 * What is known of a model; of a version that is not named, what holds for its family; of an unnamed one of a known
 * provider, what is safe to assume. `openai:<name>` is what `<name>` is.
 */
export function modelInfo(id: string): Model {
  const name = id.replace(/^openai:/, '');
  const known = models.find((model) => model.id === name) ?? familyOf(name);
  if (known && known.provider === providerOf(id)) return { ...known, id };
  return {
    id,
    provider: providerOf(id) ?? 'openai',
    contextTokens: 128_000,
    maxOutputTokens: 8_192,
    pricing: null,
    abilities: { thinking: false, tools: true, prefill: false },
  };
}

/** The named model whose name begins this one, the longest that does: `gpt-4.1-mini` of `gpt-4.1-mini-2025-04-14`. */
function familyOf(name: string): Model | undefined {
  return models
    .map((model) => ({ model, family: model.id.replace(/latest$/, '').replace(/-?$/, '-') }))
    .filter(({ family }) => name.startsWith(family))
    .sort((a, b) => b.family.length - a.family.length)[0]?.model;
}
