import { AppError } from '../domain/errors.js';

interface Bound {
  most: number;
  windowMs: number;
}

/**
 * How often one socket may say what. Joins: all rooms that a socket may watch, and a person who looks through them. Typing:
 * far above what keystrokes cause. Each authentication is a signature to check.
 */
const bounds = {
  join: { most: 300, windowMs: 30_000 },
  leave: { most: 600, windowMs: 30_000 },
  typing: { most: 100, windowMs: 10_000 },
  authenticate: { most: 30, windowMs: 60_000 },
} satisfies Record<string, Bound>;

export type LimitedEvent = keyof typeof bounds;

/** Of all events together, known or not, refused ones too. No client that works comes near it. */
const flood: Bound = { most: 1500, windowMs: 10_000 };

/**
 * How often one socket may ask. In memory and without timers, so that nothing of a socket is left when it goes; and
 * synchronous, so that its events keep their order.
 */
export class EventLimits {
  readonly #windows = new Map<Bound, { endsAt: number; left: number }>();

  constructor(private readonly now: () => number = Date.now) {}

  /** Counts an event of whatever name. False: this is a flood, and its socket has to go. */
  admit(): boolean {
    return this.#take(flood) === 0;
  }

  /** Counts an event of this name. @throws AppError rate_limited */
  take(event: LimitedEvent): void {
    const bound: Bound = bounds[event];
    const waitMs = this.#take(bound);
    if (waitMs === 0) return;
    const seconds = Math.ceil(waitMs / 1000);
    throw new AppError(
      'rate_limited',
      `A socket may send "${event}" at most ${bound.most} times in ${bound.windowMs / 1000} s: try again in ${seconds} s.`,
      { retryAfterSeconds: seconds },
    );
  }

  /** How long to wait until it is possible again; 0: it was possible. */
  #take(bound: Bound): number {
    const now = this.now();
    let window = this.#windows.get(bound);
    if (!window || window.endsAt <= now) {
      window = { endsAt: now + bound.windowMs, left: bound.most };
      this.#windows.set(bound, window);
    }
    if (window.left === 0) return window.endsAt - now;
    window.left -= 1;
    return 0;
  }
}
