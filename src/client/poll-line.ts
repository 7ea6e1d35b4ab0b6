import { noCursor } from '../wire/cursor.js';
import type { AnySnapshot } from '../wire/room-events.js';
import { isFinal, type Line, type LineListener } from './line.js';
import { TokencastError } from './tokencast-error.js';

interface PollLineOptions<Snapshot> {
  /** The room as it is now. Throws what {@link TokencastHttp} throws. */
  look: (signal: AbortSignal) => Promise<Snapshot>;
  pollMs: number;
}

/** A room that is looked at again and again, with requests that any way lets through. */
export class PollLine<Snapshot extends AnySnapshot> implements Line {
  readonly transport = 'polling';
  readonly #closing = new AbortController();
  #wake = () => {};

  constructor(
    private readonly options: PollLineOptions<Snapshot>,
    private readonly listener: LineListener<Snapshot>,
  ) {
    void this.#run();
  }

  refresh(): void {
    this.#wake();
  }

  /** Whoever polls is not heard. */
  setTyping(): void {
    // There is no request for it.
  }

  /** Every request asks for the token of the moment. */
  authenticate(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.#closing.abort();
    this.#wake();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let known = '';
    try {
      for (;;) {
        const snapshot = await this.options.look(signal);
        if (this.#isOver()) return;
        const seen = JSON.stringify(snapshot);
        if (known === '') {
          this.listener.opened();
          this.listener.joined({ resumed: false, cursor: noCursor, snapshot });
        } else if (seen !== known) this.listener.looked(snapshot);
        known = seen;
        await this.#pause();
        if (this.#isOver()) return;
      }
    } catch (error) {
      if (this.#isOver()) return;
      this.close();
      const reason =
        error instanceof TokencastError
          ? error
          : new TokencastError('internal', String(error), { cause: error });
      if (isFinal(reason.code)) this.listener.refused(reason);
      else this.listener.lost(reason, false);
    }
  }

  #isOver(): boolean {
    return this.#closing.signal.aborted;
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.options.pollMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
