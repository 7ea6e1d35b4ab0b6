import type { ContentBlock } from '../src/domain/content.js';
import type { Logger } from '../src/lib/logger.js';
import { reasonOf } from '../src/lib/root-cause.js';
import type { AnswerCache, Asker } from '../src/redis/answer-cache.js';

/** An answer as it is kept. */
export interface CachedAnswer {
  content: ContentBlock[];
  stopReason: string | null;
  stopSequence: string | null;
}

interface CacheTurnOptions {
  cache: AnswerCache;
  generationId: string;
  attempt: number;
  log: Logger;
}

/** The cache of answers, for one attempt of a generation. It fails nothing: without Redis there is no cache. */
export class CacheTurn {
  /** Set while this attempt has the turn. */
  #asker: Asker | undefined;
  #renewal: NodeJS.Timeout | undefined;

  constructor(private readonly options: CacheTurnOptions) {}

  /**
   * The answer to a request, once nobody else is about to make it; undefined: the model has to be asked, and this attempt
   * has the turn to do so, to be ended with `end`.
   *
   * @throws the signal's reason
   */
  async take(request: string, signal: AbortSignal): Promise<CachedAnswer | undefined> {
    const { cache, generationId, attempt, log } = this.options;
    const asker = { request, generationId, attempt };
    try {
      const taken = await cache.wait(asker, signal);
      if (taken.kind === 'answer') return JSON.parse(taken.answer) as CachedAnswer;
      this.#hold(asker);
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ reason: reasonOf(error) }, 'the cache of answers cannot be asked');
    }
    return undefined;
  }

  /** Takes over the turn that an earlier attempt has had, if nobody else has it by now. */
  async resume(request: string): Promise<void> {
    const { cache, generationId, attempt, log } = this.options;
    const asker = { request, generationId, attempt };
    try {
      if (await cache.renew(asker)) this.#hold(asker);
    } catch (error) {
      log.warn({ reason: reasonOf(error) }, 'the cache of answers cannot be asked');
    }
  }

  /** Ends the turn, if this attempt has it: with the answer, for others to be told, or without one. */
  async end(answer: CachedAnswer | undefined): Promise<void> {
    const asker = this.#asker;
    this.close();
    if (!asker) return;
    const { cache, log } = this.options;
    try {
      await cache.end(asker, answer && JSON.stringify(answer));
    } catch (error) {
      // Whoever waits goes on when the turn's time has run out.
      log.warn({ reason: reasonOf(error) }, 'the cache of answers cannot be told');
    }
  }

  /** Renews the turn no longer. It stays for whoever goes on with the generation, as long as it lasts. */
  close(): void {
    clearInterval(this.#renewal);
    this.#asker = undefined;
  }

  #hold(asker: Asker): void {
    this.#asker = asker;
    this.#renewal = setInterval(() => void this.#renew(asker), this.options.cache.turnTtlMs / 4).unref();
  }

  async #renew(asker: Asker): Promise<void> {
    try {
      if (!(await this.options.cache.renew(asker)) && this.#asker === asker) this.close();
    } catch {
      // The next one may succeed, else the turn is lost.
    }
  }
}
