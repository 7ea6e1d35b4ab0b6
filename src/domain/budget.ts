import type { NanoUsd } from './cost.js';
import type { GenerationOptions } from './generation.js';

/** Below so many tokens an answer is not worth its question. */
const leastAnswerTokens = 16;

/** The fewest tokens of output that a call is made for; thinking with a budget of its own needs that on top. */
export function leastTokens({ thinking }: Pick<GenerationOptions, 'thinking'>, maxTokens: number): number {
  const least = leastAnswerTokens + (thinking?.type === 'enabled' ? thinking.budgetTokens : 0);
  return Math.min(maxTokens, least);
}

interface Wanted {
  /** What the input can cost at most. */
  inputNano: NanoUsd;
  /** The price of a token of output. */
  outputNano: NanoUsd;
  maxTokens: number;
  leastTokens: number;
}

export interface Grant {
  nano: NanoUsd;
  maxTokens: number;
}

/**
 * What of a call can be had for what is left: all of it, or fewer tokens of output, though not fewer than the least.
 * Undefined: not even those.
 *
 * @param leftNano Infinity: nothing limits it
 */
export function grantOf(
  { inputNano, outputNano, maxTokens, leastTokens }: Wanted,
  leftNano: number,
): Grant | undefined {
  const costOfTokens = (tokens: number) => inputNano + tokens * outputNano;
  if (costOfTokens(maxTokens) <= leftNano) return { nano: costOfTokens(maxTokens), maxTokens };
  if (costOfTokens(leastTokens) > leftNano) return undefined;
  const affordable = Math.floor((leftNano - inputNano) / outputNano);
  return { nano: costOfTokens(affordable), maxTokens: affordable };
}

/** The day whose budget what is accepted now belongs to: UTC, `YYYY-MM-DD`. */
export const utcDay = (at: Date): string => at.toISOString().slice(0, 10);
