import type { GenerationMetrics } from '../src/domain/generation.js';

interface ProgressReporterOptions {
  /** The figures at this moment. */
  look: () => Progress;
  /** Tells whoever watches. Never throws. */
  tell: (progress: Progress) => void;
}

export interface Progress {
  metrics: GenerationMetrics;
  /** Of `maxTokens`; never 100 before the end. */
  estimatedPercent: number;
  estimatedOutputTokens: number;
  /** A short label of what is being written; null: nothing to tell. */
  stage: string | null;
}

const everyMs = 250;

/** Tells how far a generation is, at most four times a second, and only when something has come since. */
export class ProgressReporter {
  #timer: NodeJS.Timeout | undefined;
  #again = false;

  constructor(private readonly options: ProgressReporterOptions) {}

  /** Something has come. */
  changed(): void {
    if (this.#timer) {
      this.#again = true;
      return;
    }
    this.#again = false;
    this.options.tell(this.options.look());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#again) this.changed();
    }, everyMs).unref();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#again = false;
  }
}
