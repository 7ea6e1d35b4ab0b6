import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisClient } from './connect.js';
import type { Keys } from './keys.js';
import { defineScripts, type RunScript } from './scripts.js';
import type { Subscriptions } from './subscriber.js';

/** Who asks for an answer: an attempt of a generation, for the answer to a request. */
export interface Asker {
  /** The key of the request: equal for requests that get the same answer. */
  request: string;
  generationId: string;
  attempt: number;
}

/** `turn`: there is no answer, and the asker is the one to make it. `held`: another one is, for so long unless it goes on. */
export type Taken = { kind: 'answer'; answer: string } | { kind: 'turn' } | { kind: 'held'; leftMs: number };

interface AnswerCacheOptions {
  redis: RedisClient;
  keys: Keys;
  /** Of all answers together. */
  maxBytes: number;
  answerTtlMs?: number;
  turnTtlMs?: number;
}

/** Longest answer that is kept, in bytes. */
const maxAnswerBytes = 1_048_576;

/**
 * Answers that are replayed to identical requests, and whose turn it is to make one (docs/decisions/0006-cache.md; the
 * invariants of the scripts stand in `lua/cache-*.lua`).
 *
 * Every method fails when Redis does not answer; a repeated call is safe.
 */
export class AnswerCache {
  /** How long a turn lasts that is not renewed. */
  readonly turnTtlMs: number;
  readonly #answerTtlMs: number;
  readonly #run: RunScript;
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(private readonly options: AnswerCacheOptions) {
    this.#run = defineScripts(options.redis);
    this.turnTtlMs = options.turnTtlMs ?? 5000;
    this.#answerTtlMs = options.answerTtlMs ?? 3_600_000;
  }

  /** Hears of the turns that end elsewhere: without it `wait` waits for their time to run out. */
  async listen(subscriber: Subscriptions): Promise<void> {
    subscriber.onRestored(() => {
      for (const request of this.#waiting.keys()) this.#wake(request);
    });
    await subscriber.subscribe(this.options.keys.cacheChannel, (request) => {
      this.#wake(request);
    });
  }

  /** Takes the answer, or the turn, which is to be renewed within {@link turnTtlMs}. */
  async take({ request, generationId, attempt }: Asker): Promise<Taken> {
    const { keys } = this.options;
    const [kind, detail = ''] = await this.#run(
      'cache-take',
      [keys.cachedAnswers, keys.cachedUntil, keys.cacheTurn(request), keys.cacheAsked(generationId)],
      [request, generationId, attempt, this.turnTtlMs, this.#answerTtlMs],
    );
    if (kind === 'answer') return { kind, answer: detail };
    return kind === 'turn' ? { kind } : { kind: 'held', leftMs: Math.max(1, Number(detail)) };
  }

  /**
   * The same, and waits as long as another one has the turn.
   *
   * @throws the signal's reason
   */
  async wait(asker: Asker, signal: AbortSignal): Promise<Exclude<Taken, { kind: 'held' }>> {
    for (;;) {
      signal.throwIfAborted();
      // Before asking, so that no end is missed in between.
      const ended = this.#nextEnd(asker.request);
      try {
        const taken = await this.take(asker);
        if (taken.kind !== 'held') return taken;
        await ended.within(taken.leftMs, signal);
      } finally {
        ended.forget();
      }
    }
  }

  /** Keeps the turn for longer, or takes it over from an earlier attempt. False: another one has it, or nobody. */
  async renew({ request, generationId, attempt }: Asker): Promise<boolean> {
    const { keys } = this.options;
    const [outcome] = await this.#run(
      'cache-renew',
      [keys.cacheTurn(request), keys.cacheAsked(generationId)],
      [generationId, attempt, this.turnTtlMs, this.#answerTtlMs],
    );
    return outcome === 'ok';
  }

  /**
   * Ends the turn: with the answer, which is kept for an hour if it is not too long, or without one. False: nothing was
   * kept, since there was nothing to keep, or the asker had the turn no longer.
   */
  async end({ request, generationId, attempt }: Asker, answer: string | undefined): Promise<boolean> {
    const { keys, maxBytes } = this.options;
    const kept = answer !== undefined && Buffer.byteLength(answer) <= maxAnswerBytes ? answer : '';
    const [outcome] = await this.#run(
      'cache-end',
      [
        keys.cachedAnswers,
        keys.cachedUntil,
        keys.cachedBytes,
        keys.cacheTurn(request),
        keys.cacheAsked(generationId),
        keys.cacheChannel,
      ],
      [request, generationId, attempt, this.#answerTtlMs, maxBytes, kept],
    );
    return outcome === 'kept';
  }

  /** Deletes the answer that a generation has made or got, or is about to make. */
  async forget(generationId: string): Promise<void> {
    const { keys, redis } = this.options;
    const request = await redis.get(keys.cacheAsked(generationId));
    if (request === null) return;
    await this.#run(
      'cache-forget',
      [keys.cachedAnswers, keys.cachedUntil, keys.cachedBytes, keys.cacheTurn(request), keys.cacheChannel],
      [request, generationId],
    );
  }

  /** The next end of a turn for the request, from now on. */
  #nextEnd(request: string) {
    const woken = new AbortController();
    const wake = () => {
      woken.abort();
    };
    const waiting = this.#waiting.get(request) ?? new Set();
    this.#waiting.set(request, waiting.add(wake));
    return {
      within: async (ms: number, signal: AbortSignal) => {
        if (signal.aborted) return;
        signal.addEventListener('abort', wake, { once: true });
        await sleep(ms, undefined, { signal: woken.signal }).catch(() => undefined);
        signal.removeEventListener('abort', wake);
      },
      forget: () => {
        waiting.delete(wake);
        if (waiting.size === 0 && this.#waiting.get(request) === waiting) this.#waiting.delete(request);
      },
    };
  }

  #wake(request: string): void {
    for (const wake of this.#waiting.get(request) ?? []) wake();
  }
}
