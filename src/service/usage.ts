import type { ApiUsage } from '../domain/content.js';
import type { Usage } from '../domain/generation.js';
import { tokensOfCharacters } from '../domain/tokens.js';
import type { CallRecord } from '../redis/transcript.js';

/** What calls of the model used together. */
export function usageOfCalls(calls: readonly CallRecord[]): Usage {
  const sum: Usage = {
    inputTokens: 0,
    outputTokens: 0,
    cacheReadInputTokens: 0,
    cacheCreationInputTokens: 0,
  };
  for (const call of calls) {
    const usage = usageOf(call);
    sum.inputTokens += usage.inputTokens;
    sum.outputTokens += usage.outputTokens;
    sum.cacheReadInputTokens += usage.cacheReadInputTokens;
    sum.cacheCreationInputTokens += usage.cacheCreationInputTokens;
  }
  return sum;
}

/** What a call used. A cut one did not come to report its output: it is taken from what was written. */
export function usageOf({ usage, final, characters }: CallRecord): Usage {
  const reported = usage.output_tokens ?? 0;
  return {
    inputTokens: usage.input_tokens ?? 0,
    outputTokens: final ? reported : Math.max(reported, tokensOfCharacters(characters)),
    cacheReadInputTokens: usage.cache_read_input_tokens ?? 0,
    cacheCreationInputTokens: usage.cache_creation_input_tokens ?? 0,
  };
}

/**
 * What was stored at a hand-over and these calls do not tell of, as one more call; undefined: nothing. Redis may have been
 * away by then, and the transcript have less.
 */
export function callBeyond(calls: readonly CallRecord[], stored: Usage | null): CallRecord | undefined {
  if (!stored) return undefined;
  const told = usageOfCalls(calls);
  const beyond = (field: keyof Usage) => Math.max(0, stored[field] - told[field]);
  const usage: Usage = {
    inputTokens: beyond('inputTokens'),
    outputTokens: beyond('outputTokens'),
    cacheReadInputTokens: beyond('cacheReadInputTokens'),
    cacheCreationInputTokens: beyond('cacheCreationInputTokens'),
  };
  const isSome = Object.values(usage).some((tokens) => tokens > 0);
  return isSome ? { usage: asCall(usage), final: true, characters: 0 } : undefined;
}

/** Usage as one call would have reported it. */
export const asCall = (usage: Usage): ApiUsage => ({
  input_tokens: usage.inputTokens,
  output_tokens: usage.outputTokens,
  cache_read_input_tokens: usage.cacheReadInputTokens,
  cache_creation_input_tokens: usage.cacheCreationInputTokens,
});
