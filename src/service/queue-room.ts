import type { Executor } from '../store/database.js';
import { countQueued } from '../store/generations.js';

/** With more room than is taken in so short a time, by all processes together, nobody has to count again. */
const roomyMs = 100;
const roomyFrom = 1000;

/**
 * Whether there is room for another generation in the queue. The longer it is the more a count costs: with much room left,
 * one is good for a moment; with little, each is new.
 */
export class QueueRoom {
  #roomyUntil = -Infinity;

  /** @param max waiting and queued generations together */
  constructor(private readonly max: number) {}

  async isFull(db: Executor): Promise<boolean> {
    const now = performance.now();
    if (now < this.#roomyUntil) return false;
    const left = this.max - (await countQueued(db, this.max));
    if (left >= roomyFrom) this.#roomyUntil = now + roomyMs;
    return left <= 0;
  }
}
