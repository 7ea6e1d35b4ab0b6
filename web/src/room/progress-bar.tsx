import { number } from '../lib/format.js';
import type { GenerationProgress } from '../../../src/client/index.js';

/** How much of the length that an answer may have is written. */
export function ProgressBar({ progress, maxTokens }: { progress: GenerationProgress; maxTokens?: number }) {
  return (
    <div
      className="progress"
      role="progressbar"
      aria-label="Of the longest answer"
      aria-valuenow={progress.estimatedPercent}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuetext={progressWords(progress, maxTokens)}
      data-testid="progress"
    >
      <svg viewBox="0 0 100 2" preserveAspectRatio="none" aria-hidden>
        <rect className="progress-whole" width="100" height="2" />
        <rect className="progress-done" width={progress.estimatedPercent} height="2" />
      </svg>
    </div>
  );
}

/** `about 1,240 of 2,030 tokens`. */
export function progressWords(
  { estimatedOutputTokens, estimatedPercent }: GenerationProgress,
  maxTokens?: number,
): string {
  const written = `about ${number(estimatedOutputTokens)}`;
  return maxTokens === undefined
    ? `${written} tokens, ${estimatedPercent} % of the longest answer`
    : `${written} of ${number(maxTokens)} tokens`;
}
