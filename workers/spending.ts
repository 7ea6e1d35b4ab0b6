import { setTimeout as sleep } from 'node:timers/promises';
import { grantOf, leastTokens } from '../src/domain/budget.js';
import { costOf, mostForInput, tokenPrice, type NanoUsd, type TokenPrice } from '../src/domain/cost.js';
import type { Usage } from '../src/domain/generation.js';
import { tokensOfBytes } from '../src/domain/tokens.js';
import { backoffMs } from '../src/lib/backoff.js';
import type { Logger } from '../src/lib/logger.js';
import { reasonOf } from '../src/lib/root-cause.js';
import type { ProviderRequest } from '../src/providers/provider.js';
import type { CallRecord } from '../src/redis/transcript.js';
import type { Attempt } from '../src/service/attempt.js';
import { leftIn } from '../src/service/budget.js';
import { reserveCall, type Allowance, type CallToReserve } from '../src/service/reserve.js';
import type { ServiceContext } from '../src/service/service-context.js';
import { usageOf, usageOfCalls } from '../src/service/usage.js';
import type { StopKind } from './stop.js';

interface SpendingOptions {
  context: ServiceContext;
  attempt: Attempt;
  /** Tells the room. */
  warn: (code: 'near_budget' | 'max_tokens_lowered', message: string) => void;
  /** The attempt must not go on. */
  stop: (kind: Extract<StopKind, 'budget' | 'cancelled' | 'fenced'>) => void;
  log: Logger;
}

interface NextCall {
  request: ProviderRequest;
  /** About how many tokens the model will read. */
  inputTokens: number;
  /** What all calls before this one have used; undefined: it is the generation's first. */
  before: Usage | undefined;
}

/** The share of what may be spent from which on the room is told. */
const nearShare = 0.9;

/** About how many tokens of input a request has. */
export const inputTokensOf = ({ system, messages, tools, outputSchema }: ProviderRequest): number =>
  tokensOfBytes(
    Buffer.byteLength(system ?? '') +
      messages.reduce((sum, { content }) => sum + Buffer.byteLength(JSON.stringify(content)), 0) +
      (tools || outputSchema ? Buffer.byteLength(JSON.stringify([tools, outputSchema])) : 0),
  );

/**
 * The money of one attempt: reserves its calls, and watches what the one under way costs.
 *
 * Invariant (B2 in docs/decisions/0004): no call is made before the most that it can cost is reserved in Postgres. Only
 * there it is decided what can be had; the figures here say when to ask.
 */
export class Spending {
  readonly #price: TokenPrice | null;
  #allowance: Allowance;
  #before: Usage = usageOfCalls([]);
  /** What the output of the call under way can cost. */
  #outputNano: NanoUsd = 0;
  /** What the call under way has cost so far. */
  #costNano: NanoUsd = 0;
  /** More is being asked for. */
  #asking: Promise<void> | undefined;
  /** The last time less was granted than asked for. */
  #cut = false;
  #near = false;
  #lowered = false;

  constructor(private readonly options: SpendingOptions) {
    const { generation, allowance } = options.attempt;
    this.#price = tokenPrice(generation.model);
    this.#allowance = allowance;
  }

  /** Whether a call was given fewer tokens than it asked for. */
  get lowered(): boolean {
    return this.#lowered;
  }

  /**
   * Reserves a call, and answers how many tokens it may write: fewer than it asks for where less is left. Every call of
   * the model comes here first.
   *
   * @throws the signal's reason, also where nothing is left
   */
  async reserve({ request, inputTokens, before }: NextCall, signal: AbortSignal): Promise<number> {
    const price = this.#price;
    if (!price) return request.maxTokens;
    const wanted = {
      inputNano: mostForInput(price, inputTokens),
      outputNano: price.output,
      maxTokens: request.maxTokens,
      leastTokens: leastTokens(request, request.maxTokens),
    };
    const costWith = (tokens: number) => wanted.inputNano + tokens * wanted.outputNano;
    const wantedNano = costWith(wanted.maxTokens);
    this.#before = before ?? usageOfCalls([]);
    this.#costNano = 0;
    // The first call's reservation is the acceptance's own.
    if (before || wantedNano > this.#allowance.reservedNano) {
      const leastNano = costWith(wanted.leastTokens);
      const granted = await this.#ask({ before: this.#before, wantedNano, leastNano }, signal);
      if (!granted) this.options.stop('budget');
      signal.throwIfAborted();
    }
    const { maxTokens } = grantOf(wanted, this.#allowance.reservedNano) ?? wanted;
    this.#outputNano = maxTokens * price.output;
    this.#tellLowered(maxTokens, request.maxTokens);
    return maxTokens;
  }

  /**
   * Hears what the call under way has used so far: tells the room when little is left, reserves more where the call
   * comes to cost more than was reserved, and stops the attempt where there is no more.
   *
   * @returns what to wait for before more is read: all that was reserved is used up. It never fails
   */
  look(call: CallRecord, signal: AbortSignal): Promise<void> | undefined {
    const { limited, reservedNano } = this.#allowance;
    if (!this.#price || limited.length === 0 || signal.aborted) return undefined;
    const used = usageOf(call);
    this.#costNano = costOf(this.#price, used);
    this.#tellNear();
    const usedUp = this.#costNano >= reservedNano;
    const mostNano = costOf(this.#price, { ...used, outputTokens: 0 }) + this.#outputNano;
    if (usedUp || (mostNano > reservedNano && !this.#cut)) {
      const wantedNano = mostNano > this.#costNano ? mostNano : this.#costNano + this.#outputNano;
      this.#asking ??= this.#askForMore(wantedNano, signal);
    }
    return usedUp ? this.#asking : undefined;
  }

  async #askForMore(wantedNano: NanoUsd, signal: AbortSignal): Promise<void> {
    try {
      const granted = await this.#ask({ before: this.#before, wantedNano, leastNano: 0 }, signal);
      if (!granted || this.#allowance.reservedNano <= this.#costNano) this.options.stop('budget');
    } catch {
      // Only the signal ends the asking, and whoever reads the model hears of it.
    } finally {
      this.#asking = undefined;
    }
  }

  /** Asks as long as Postgres does not answer. False: there is not even the least. */
  async #ask(call: CallToReserve, signal: AbortSignal): Promise<boolean> {
    const { context, attempt, stop, log } = this.options;
    for (let failures = 0; ; failures += 1) {
      try {
        const answer = await reserveCall(context, attempt.generation, call);
        switch (answer.kind) {
          case 'reserved':
            this.#allowance = answer.allowance;
            this.#cut = answer.allowance.reservedNano < call.wantedNano;
            return true;
          case 'refused':
            return false;
          case 'fenced':
          case 'cancelled':
            stop(answer.kind);
            signal.throwIfAborted();
        }
      } catch (error) {
        signal.throwIfAborted();
        log.warn({ reason: reasonOf(error), failures }, 'the next call cannot be paid for yet');
        await sleep(backoffMs(failures, { baseMs: 100, maxMs: 1000 }), undefined, { signal });
      }
    }
  }

  #tellNear(): void {
    if (this.#near) return;
    const { limited, reservedNano } = this.#allowance;
    const leftNano = Math.max(0, Math.min(...limited.map(leftIn)));
    const near =
      this.#costNano >= nearShare * (reservedNano + leftNano) ||
      limited.some(
        ({ spentNano, limitNano }) => spentNano + this.#costNano >= nearShare * (limitNano ?? Infinity),
      );
    if (!near) return;
    this.#near = true;
    this.options.warn('near_budget', `About ${100 * nearShare} % of what may be spent is spent.`);
  }

  #tellLowered(maxTokens: number, wanted: number): void {
    const asked = Math.max(this.options.attempt.generation.askedMaxTokens ?? 0, wanted);
    if (this.#lowered || maxTokens >= asked) return;
    this.#lowered = true;
    this.options.warn('max_tokens_lowered', `Of the ${asked} tokens asked for the budget has ${maxTokens}.`);
  }
}
