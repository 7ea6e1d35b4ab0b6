import type { AnySnapshot } from '../wire/room-events.js';
import type { Joined, Line, LineListener, Transport } from './line.js';
import type { TokencastError } from './tokencast-error.js';

/** Opens a line of one kind. It tells nothing before this has returned. */
export type LineMaker<Snapshot extends AnySnapshot> = (listener: LineListener<Snapshot>) => Line;

type LadderListener<Snapshot extends AnySnapshot> = Omit<
  LineListener<Snapshot>,
  'opened' | 'joined' | 'lost'
> & {
  joined: (joined: Joined<Snapshot>, transport: Transport) => void;
  lost: (error: TokencastError) => void;
};

/** A way that has worked is tried so often before the next one is. */
const triesOfKnownWay = 2;

/**
 * Watches a room by the best way that works: where one is blocked the next is taken at once, and while it is used the
 * better ones are tried from time to time, without a break in what comes.
 */
export class Ladder<Snapshot extends AnySnapshot> {
  #line: Line | undefined;
  #candidate: Line | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hasBestWorked = false;

  constructor(
    /** The best way first. */
    private readonly makers: readonly LineMaker<Snapshot>[],
    private readonly listener: LadderListener<Snapshot>,
    /** How long a way is used before the better ones are tried again. */
    private readonly betterWayMs: number,
  ) {}

  /** What is open now. */
  get line(): Line | undefined {
    return this.#line;
  }

  /** Begins with the best way. `failedTries`: since the last success. */
  open(failedTries: number): void {
    this.close();
    this.#open(0, failedTries);
  }

  /** Ends all lines; may be opened again. */
  close(): void {
    clearTimeout(this.#timer);
    this.#candidate?.close();
    this.#candidate = undefined;
    this.#line?.close();
    this.#line = undefined;
  }

  #open(rung: number, failedTries: number): void {
    const isLasting = rung === 0 && this.#hasBestWorked && failedTries < triesOfKnownWay;
    this.#line = this.#make(rung, {
      lost: (error, wasJoined, isBlocked) => {
        this.close();
        if (!wasJoined && isBlocked && !isLasting && rung + 1 < this.makers.length)
          this.#open(rung + 1, failedTries);
        else this.listener.lost(error);
      },
    });
  }

  /** Tries a better way beside the one that is used, `below`. */
  #tryBetter(rung: number, below: number): void {
    if (rung >= below) {
      this.#tryBetterLater(below);
      return;
    }
    let isTaken = false;
    const fail = (error: TokencastError, tell: (error: TokencastError) => void) => {
      if (isTaken) {
        this.close();
        tell(error);
      } else this.#tryBetter(rung + 1, below);
    };
    this.#candidate = this.#make(rung, {
      opened: () => {
        isTaken = true;
        // The old line ends before the new one asks for what follows: nothing comes twice.
        this.#line?.close();
        this.#line = this.#candidate;
        this.#candidate = undefined;
      },
      lost: (error) => {
        fail(error, this.listener.lost);
      },
      refused: (error) => {
        fail(error, this.listener.refused);
      },
    });
  }

  #tryBetterLater(below: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#tryBetter(0, below);
    }, this.betterWayMs);
  }

  #make(
    rung: number,
    own: {
      opened?: () => void;
      lost: (error: TokencastError, wasJoined: boolean, isBlocked: boolean) => void;
      refused?: (error: TokencastError) => void;
    },
  ): Line | undefined {
    let wasJoined = false;
    const line = this.makers[rung]?.({
      ...this.listener,
      opened: own.opened ?? (() => undefined),
      joined: (joined) => {
        wasJoined = true;
        if (rung === 0) this.#hasBestWorked = true;
        else this.#tryBetterLater(rung);
        if (line) this.listener.joined(joined, line.transport);
      },
      lost: (error, isBlocked) => {
        own.lost(error, wasJoined, isBlocked);
      },
      refused: own.refused ?? this.listener.refused,
    });
    return line;
  }
}
