import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../src/lib/logger.js';
import { reasonOf } from '../src/lib/root-cause.js';
import type { Lease } from '../src/redis/lease.js';

export interface Sweep {
  name: string;
  /** At least the sweeper's `everyMs`. */
  everyMs: number;
  run: () => Promise<unknown>;
}

interface SweeperOptions {
  sweeps: readonly Sweep[];
  /** Who has it sweeps. It lasts for some `everyMs`. */
  lease: Pick<Lease, 'take' | 'end'>;
  log: Logger;
  /** How often it is looked whether there is something to do: about once in this time. */
  everyMs?: number;
  /** A sweep that takes longer leaves the others to another process. */
  stuckMs?: number;
}

/** So many looks it goes on where nobody has followed. */
const looksBetween = 10;

interface State {
  sweep: Sweep;
  /** By `performance.now()`. */
  dueAt: number;
  running: { since: number; done: Promise<void> } | undefined;
}

/**
 * Runs sweeps, each at its pace, in one of the processes that have a sweeper; in all of them while Redis, which tells who,
 * does not answer. So sweeps have to be safe to run by several at once.
 *
 * A process that is gone is followed when its lease is over; one that cannot sweep, since something fails or hangs, gives
 * the lease back, so that another one may try. Where nobody does, it goes on with what it can do, and gives it back again
 * only now and then: what can be done does not wait for what cannot.
 */
export class Sweeper {
  readonly #stopped = new AbortController();
  readonly #states: State[];
  readonly #everyMs: number;
  readonly #stuckMs: number;
  #failed = false;
  /** Looks until it may give way again. */
  #goesOn = 0;
  #loop: Promise<void> | undefined;

  constructor(private readonly options: SweeperOptions) {
    this.#states = options.sweeps.map((sweep) => ({ sweep, dueAt: 0, running: undefined }));
    this.#everyMs = options.everyMs ?? 1000;
    this.#stuckMs = options.stuckMs ?? 8000;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Begins no sweep any more, waits for those that run, and lets another process follow at once. */
  async close(): Promise<void> {
    this.#stopped.abort();
    await this.#loop;
    for (const { running } of this.#states) await running?.done;
    await this.#leave();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const left = await this.#look();
      // Spread, so that processes that started together do not look together; longer than others wait, once it has left.
      const waitMs = this.#everyMs * (left ? 2 : 1) * (0.75 + Math.random() / 2);
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Answers whether it has left the sweeping to others. */
  async #look(): Promise<boolean> {
    const failed = this.#failed;
    this.#failed = false;
    const holds = await this.options.lease.take().catch(() => undefined);
    if (holds === false) this.#goesOn = 0;
    if (holds === false || this.#stopped.signal.aborted) return false;
    if (this.#goesOn > 0) {
      this.#goesOn -= 1;
    } else if (holds && (failed || this.#isStuck())) {
      this.#goesOn = looksBetween;
      await this.#leave();
      return true;
    }
    const now = performance.now();
    for (const state of this.#states) if (!state.running && state.dueAt <= now) this.#begin(state, now);
    return false;
  }

  #begin(state: State, now: number): void {
    const { name, everyMs, run } = state.sweep;
    // At the look that is nearest: they are not evenly spaced.
    state.dueAt = now + everyMs - this.#everyMs;
    // What it throws at once is a failure like any other.
    const done = Promise.resolve()
      .then(run)
      .then(
        () => undefined,
        (error: unknown) => {
          this.#failed = true;
          this.options.log.debug({ sweep: name, reason: reasonOf(error) }, 'maintenance failed');
        },
      )
      .finally(() => {
        state.running = undefined;
      });
    state.running = { since: now, done };
  }

  #isStuck(): boolean {
    const now = performance.now();
    return this.#states.some(({ running }) => running && now - running.since > this.#stuckMs);
  }

  async #leave(): Promise<void> {
    // Else it ends by itself.
    await this.options.lease.end().catch(() => undefined);
  }
}
