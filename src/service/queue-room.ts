import type { Executor } from '../store/database.js';
import { countQueued } from '../store/generations.js';

/**
 * A count is good for so long, and for as long again while somebody counts anew: where there is more room than all processes
 * together take in that time.
 */
const roomyMs = 100;
const roomyFrom = 1000;

/**
 * Whether there is room for another generation in the queue. The longer it is the more a count costs: with much room left,
 * one is good for a moment; with little, each is new.
 */
export class QueueRoom {
  #countFrom = -Infinity;
  #roomyUntil = -Infinity;

  /** @param max waiting and queued generations together */
  constructor(private readonly max: number) {}

  async isFull(db: Executor): Promise<boolean> {
    const now = performance.now();
    if (now < this.#countFrom && now < this.#roomyUntil) return false;
    this.#countFrom = now + roomyMs;
    const left = this.max - (await countQueued(db, this.max));
    this.#roomyUntil = left >= roomyFrom ? now + 2 * roomyMs : -Infinity;
    return left <= 0;
  }
}
