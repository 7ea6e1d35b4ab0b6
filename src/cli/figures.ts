import type { GenerationHead } from '../client/index.js';

const seconds = (ms: number) => `${(ms / 1000).toFixed(ms < 9950 ? 1 : 0)} s`;

/** How an answer came to be, in one line: its end where that is not the usual one, time, length, speed, cost. */
export function figuresOf({
  status,
  stopReason,
  error,
  model,
  metrics,
  usage,
  costUsd,
  cached,
}: GenerationHead): string {
  const { durationMs, firstTokenMs, words, tokensPerSecond } = metrics;
  const end =
    status === 'failed'
      ? `failed: ${error?.message ?? 'something went wrong'}`
      : status === 'cancelled'
        ? (stopReason ?? 'cancelled')
        : stopReason !== null && stopReason !== 'end_turn'
          ? `stopped at ${stopReason}`
          : null;
  const parts = [
    end,
    cached ? `${model}, from the cache` : model,
    firstTokenMs !== null && `first text after ${seconds(firstTokenMs)}`,
    durationMs !== null && `${seconds(durationMs)} in all`,
    `${words} ${words === 1 ? 'word' : 'words'}`,
    usage && `${usage.inputTokens} + ${usage.outputTokens} tokens`,
    tokensPerSecond !== null && `${tokensPerSecond.toFixed(0)} tokens/s`,
    costUsd !== null && `$${costUsd.toFixed(4)}`,
  ];
  return parts.filter(Boolean).join(' · ');
}
