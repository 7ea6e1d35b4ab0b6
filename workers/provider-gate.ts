import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProviderName } from '../src/domain/models.js';
import type { RateLimit } from '../src/domain/rate-limit.js';
import type { Logger } from '../src/lib/logger.js';
import { reasonOf } from '../src/lib/root-cause.js';
import type { GenerationQueues } from '../src/queue/generation-queue.js';
import type { ProviderLimits } from '../src/redis/provider-limits.js';

/** A request that may go to the provider. */
export interface Entry {
  /** The provider has answered, and told what is left. */
  answered(limits: readonly RateLimit[]): void;
  /** It is over, or will not be sent. Does nothing after the answer. */
  leave(): void;
}

interface ProviderGateOptions {
  provider: ProviderName;
  limits: Pick<ProviderLimits, 'enter' | 'note' | 'hold' | 'heldMs'>;
  queues: Pick<GenerationQueues, 'rateLimit'>;
  log: Logger;
}

/**
 * Where every request to a provider passes, in all workers: while nothing is left of what may be asked of it, its queues
 * give out nothing and nothing is sent to it. Without Redis everything passes, and the provider's 429 has the say.
 */
export class ProviderGate {
  constructor(private readonly options: ProviderGateOptions) {}

  /** Takes one request off what is left; a number: there is nothing, so ask again in so many ms. Never fails. */
  async tryEnter(): Promise<Entry | number> {
    const { limits, log, provider } = this.options;
    const id = randomUUID();
    const waitMs = await limits.enter(id).catch((error: unknown) => {
      log.warn({ provider, reason: reasonOf(error) }, 'what the provider has left is not known');
      return 0;
    });
    if (waitMs === 0) return this.#entryOf(id);
    await this.#pause(waitMs);
    return waitMs;
  }

  /** The same, as soon as there is something left; `onWait` hears of every wait before it begins, and may refuse. */
  async enter(onWait: (waitMs: number) => void, signal: AbortSignal): Promise<Entry> {
    for (;;) {
      const entry = await this.tryEnter();
      if (signal.aborted && typeof entry !== 'number') entry.leave();
      signal.throwIfAborted();
      if (typeof entry !== 'number') return entry;
      onWait(entry);
      await sleep(entry, undefined, { signal });
    }
  }

  /** Lets nothing pass for so long: the provider asks to slow down. Never fails. */
  async hold(ms: number): Promise<void> {
    await this.#pauseAfter(this.options.limits.hold(ms), ms);
  }

  /** How long nothing passes, in ms. Fails when Redis does not answer. */
  heldMs(): Promise<number> {
    return this.options.limits.heldMs();
  }

  #entryOf(id: string): Entry {
    let over = false;
    const note = (limits: readonly RateLimit[]) => {
      if (over) return;
      over = true;
      void this.#pauseAfter(this.options.limits.note(id, limits), 0);
    };
    return {
      answered: note,
      leave: () => {
        note([]);
      },
    };
  }

  /** Pauses the queues for as long as the limits say; where they cannot be noted, for as long as is known here. */
  async #pauseAfter(noted: Promise<number>, elseMs: number): Promise<void> {
    const { log, provider } = this.options;
    const heldMs = await noted.catch((error: unknown) => {
      log.warn({ provider, reason: reasonOf(error) }, 'what the provider has left cannot be noted');
      return elseMs;
    });
    if (heldMs > 0) await this.#pause(heldMs);
  }

  async #pause(ms: number): Promise<void> {
    const { log, provider, queues } = this.options;
    log.info({ provider, ms }, 'nothing is left at the provider: its queues wait');
    await queues.rateLimit(provider, ms).catch((error: unknown) => {
      log.warn({ provider, reason: reasonOf(error) }, 'the queue cannot be held up');
    });
  }
}
