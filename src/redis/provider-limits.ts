import type { ProviderName } from '../domain/models.js';
import type { RateLimit } from '../domain/rate-limit.js';
import type { RedisClient } from './connect.js';
import type { Keys } from './keys.js';
import { defineScripts, type RunScript } from './scripts.js';

/** After so long what a provider has told is looked at anew, however long it asks to wait. */
const longestHoldMs = 15 * 60_000;
/** Longer than a hold, and than the periods that providers count in. */
const limitsTtlMs = 3_600_000;
/** The head of an answer comes within seconds; whose worker has died is forgotten after so long. */
const enteredTtlMs = 60_000;
/** Where all that is left has been taken, one of those on their way will soon tell what is left after it. */
const retryMs = 250;

/**
 * What one provider has left for one account, over all workers. The rules stand in `lua/enter.lua` and
 * `lua/note-limits.lua`.
 *
 * Every method fails when Redis does not answer.
 */
export class ProviderLimits {
  readonly #run: RunScript;
  readonly #keys: [limits: string, entered: string];

  constructor(redis: RedisClient, keys: Keys, { name, account }: { name: ProviderName; account: string }) {
    this.#run = defineScripts(redis);
    this.#keys = [keys.providerLimits(name, account), keys.providerEntered(name, account)];
  }

  /** Takes one request off what is left. Answers 0, or how long to wait before asking again, in ms. */
  async enter(requestId: string): Promise<number> {
    const [answer, waitMs] = await this.#run('enter', this.#keys, [requestId, enteredTtlMs, retryMs]);
    return answer === 'go' ? 0 : Number(waitMs);
  }

  /**
   * Notes that a request was answered, or never sent, and what the answer told. Where nothing is left of something, no
   * request goes until its reset. Answers how long that is, in ms; 0: they go.
   */
  note(requestId: string, limits: readonly RateLimit[]): Promise<number> {
    const holdMs = Math.max(0, ...limits.map(({ remaining, resetMs }) => (remaining > 0 ? 0 : resetMs)));
    return this.#note(requestId, holdMs, limits);
  }

  /** Lets no request go for so long. Answers how long it is in fact: what was told before may be longer. */
  hold(ms: number): Promise<number> {
    return this.#note('', ms, []);
  }

  /** How long no request goes, in ms; 0: they go. */
  heldMs(): Promise<number> {
    return this.hold(0);
  }

  async #note(requestId: string, holdMs: number, limits: readonly RateLimit[]): Promise<number> {
    // Of several limits of requests the one with least left.
    const [requests] = limits
      .filter(({ of }) => of === 'requests')
      .sort((one, other) => one.remaining - other.remaining);
    const [heldMs] = await this.#run('note-limits', this.#keys, [
      requestId,
      limitsTtlMs,
      Math.ceil(Math.min(holdMs, longestHoldMs)),
      requests?.remaining ?? '',
      Math.ceil(Math.min(requests?.resetMs ?? 0, longestHoldMs)),
      requests?.limit ?? '',
    ]);
    return Number(heldMs);
  }
}
