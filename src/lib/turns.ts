/**
 * Lets work that comes in crowds take turns with everything else that a process does: it begins in the order of its
 * coming, and for at most `budgetMs` of each turn of the event loop, so that what comes meanwhile waits no longer.
 */
export class Turns {
  #queue: (() => void)[] = [];
  #scheduled = false;

  constructor(private readonly budgetMs: number) {}

  /** Calls this in one of the next turns. It must not throw. */
  run(work: () => void): void {
    this.#queue.push(work);
    this.#schedule();
  }

  /** Resolves in one of the next turns. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.run(resolve);
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#takeTurn();
    });
  }

  #takeTurn(): void {
    const endsAt = performance.now() + this.budgetMs;
    const queue = this.#queue;
    let taken = 0;
    do {
      queue[taken]?.();
      taken += 1;
    } while (taken < queue.length && performance.now() < endsAt);
    this.#queue = queue.slice(taken);
    if (this.#queue.length > 0) this.#schedule();
  }
}
