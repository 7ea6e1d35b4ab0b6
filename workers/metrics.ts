import type { GenerationMetrics, Usage } from '../src/domain/generation.js';
import type { GenerationRow } from '../src/store/generations.js';
import type { TextFigures } from './text-figures.js';

interface Measured {
  generation: GenerationRow;
  figures: TextFigures;
  chunks: number;
  firstTokenAt: number | null;
  usage: Usage;
}

const perSecond = (count: number, ms: number): number | null =>
  ms > 0 && count > 0 ? Math.round((count / ms) * 10_000) / 10 : null;

/** The figures of a generation as it is now. Rates are those of the time in which text came. */
export function metricsOf({ generation, figures, chunks, firstTokenAt, usage }: Measured): GenerationMetrics {
  const now = Date.now();
  const startedAt = generation.startedAt?.getTime() ?? now;
  const before = generation.metrics;
  const writingMs = now - (firstTokenAt ?? now);
  return {
    queuedMs: Math.max(0, startedAt - generation.createdAt.getTime()),
    firstTokenMs:
      before?.firstTokenMs ?? (firstTokenAt === null ? null : Math.max(0, firstTokenAt - startedAt)),
    durationMs: Math.max(0, now - startedAt),
    chunks: (before?.chunks ?? 0) + chunks,
    characters: figures.characters,
    words: figures.words,
    charactersPerSecond: perSecond(figures.characters, writingMs),
    tokensPerSecond: perSecond(usage.outputTokens, writingMs),
  };
}
