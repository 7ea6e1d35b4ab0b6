import type { UnloggedEvent } from '../src/redis/room-log.js';

/** How long it waits for an append to go with, in ms. */
const waitMs = 50;

/** What is told beside the log and kept nowhere: it goes with the next append, or alone where none follows soon. */
export class Beside {
  #event: UnloggedEvent | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param tell has it told alone */
  constructor(private readonly tell: (event: UnloggedEvent) => void) {}

  /** What waits from now on; what waited before is forgotten. */
  put(event: UnloggedEvent): void {
    this.#event = event;
    this.#timer ??= setTimeout(() => {
      const waiting = this.take();
      if (waiting) this.tell(waiting);
    }, waitMs).unref();
  }

  /** What waits, which then waits no longer. */
  take(): UnloggedEvent | undefined {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const event = this.#event;
    this.#event = undefined;
    return event;
  }
}
