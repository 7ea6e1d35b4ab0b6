import { setLongTimeout } from '../src/lib/long-timeout.js';
import { Stop } from './stop.js';

interface DeadlineOptions {
  /** When the whole generation must have ended: milliseconds since the epoch. */
  endsAt: number;
  /** How long the model may be silent. */
  idleTimeoutMs: number;
  /** How long its first piece may take, from when it is first asked; until then `idleTimeoutMs` is not looked at. */
  firstTokenTimeoutMs: number | undefined;
  abort: (stop: Stop) => void;
}

/** The clocks of one attempt. */
export class Deadlines {
  readonly #stopWhole: () => void;
  #idle: NodeJS.Timeout | undefined;
  /** Until when the first piece must have come; undefined: it has come, or no model was asked yet. */
  #firstTokenBy: number | undefined;
  #firstToken: NodeJS.Timeout | undefined;
  #awaitsFirst: boolean;

  constructor(private readonly options: DeadlineOptions) {
    this.#awaitsFirst = options.firstTokenTimeoutMs !== undefined;
    this.#stopWhole = setLongTimeout(() => {
      options.abort(new Stop('timeout'));
    }, this.leftMs);
  }

  /** How long the whole generation, and its first piece if that has not come, may still take. */
  get leftMs(): number {
    return Math.min(this.options.endsAt, this.#firstTokenBy ?? Infinity) - Date.now();
  }

  /** A call of the model begins, or the model has said something. */
  heard(): void {
    if (this.#awaitsFirst) this.#awaitFirst();
    else if (this.#idle) this.#idle.refresh();
    else
      this.#idle = setTimeout(() => {
        this.options.abort(new Stop('idleTimeout'));
      }, this.options.idleTimeoutMs);
  }

  /** The first piece of the answer has come: from now on the model may be silent for the idle time. */
  begun(): void {
    if (!this.#awaitsFirst) return;
    this.#awaitsFirst = false;
    this.#firstTokenBy = undefined;
    clearTimeout(this.#firstToken);
    this.heard();
  }

  /** No call is under way: silence is not the model's. */
  rest(): void {
    clearTimeout(this.#idle);
    this.#idle = undefined;
  }

  clear(): void {
    this.#stopWhole();
    clearTimeout(this.#firstToken);
    this.rest();
  }

  /** Begins with the first call and goes on over its further tries, with the waits in between. */
  #awaitFirst(): void {
    const { firstTokenTimeoutMs } = this.options;
    if (this.#firstTokenBy !== undefined || firstTokenTimeoutMs === undefined) return;
    this.#firstTokenBy = Date.now() + firstTokenTimeoutMs;
    this.#firstToken = setTimeout(() => {
      this.options.abort(new Stop('firstTokenTimeout'));
    }, firstTokenTimeoutMs);
  }
}
