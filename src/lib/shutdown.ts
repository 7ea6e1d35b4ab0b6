import type { Logger } from './logger.js';

const signals = ['SIGINT', 'SIGTERM'] as const;

/**
 * Ctrl-C below `npm start` reaches the program twice: once from the terminal and once forwarded by npm. What comes
 * this soon after the first is the same wish.
 */
const sameWishMs = 500;

interface ShutdownOptions {
  log: Logger;
  /** For all closers together; past it the program exits with code 1. */
  timeoutMs: number;
  /** What emits the signals. */
  process?: { on(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown };
  exit?: (code: number) => void;
  now?: () => number;
}

type Closer = () => void | Promise<void>;

/**
 * Ends a program in order: what was opened last is closed first, once, at SIGINT, SIGTERM or {@link run}. A second
 * signal exits at once with code 1.
 */
export class Shutdown {
  readonly #log: Logger;
  readonly #timeoutMs: number;
  readonly #exit: (code: number) => void;
  readonly #closers: { name: string; close: Closer }[] = [];
  readonly #controller = new AbortController();
  #running: Promise<void> | undefined;

  constructor({
    log,
    timeoutMs,
    process: emitter = process,
    exit = (code) => process.exit(code),
    now = Date.now,
  }: ShutdownOptions) {
    this.#log = log;
    this.#timeoutMs = timeoutMs;
    this.#exit = exit;
    let firstAt: number | undefined;
    for (const signal of signals) {
      emitter.on(signal, () => {
        if (firstAt === undefined) {
          firstAt = now();
          void this.run(signal);
        } else if (now() - firstAt > sameWishMs) {
          exit(1);
        }
      });
    }
  }

  /** Fires when the end begins: for a start that is still under way. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Closers run one after the other, the last added first; one that fails does not keep the others from running. */
  add(name: string, close: Closer): void {
    this.#closers.push({ name, close });
  }

  /** Closes everything and exits: with `code`, or with 1 where a closer failed or time ran out. Idempotent. */
  run(reason: string, code = 0): Promise<void> {
    return (this.#running ??= this.#run(reason, code));
  }

  async #run(reason: string, code: number): Promise<void> {
    this.#log.info({ reason }, 'stopping');
    this.#controller.abort(new Error(`stopping: ${reason}`));
    let current = '';
    const timer = setTimeout(() => {
      this.#log.error({ closing: current, timeoutMs: this.#timeoutMs }, 'stopping took too long');
      this.#exit(1);
    }, this.#timeoutMs);
    let failed = false;
    for (let closer = this.#closers.pop(); closer; closer = this.#closers.pop()) {
      current = closer.name;
      try {
        await closer.close();
      } catch (error) {
        failed = true;
        this.#log.error({ err: error, closing: current }, 'closing failed');
      }
    }
    clearTimeout(timer);
    this.#log.info('stopped');
    this.#exit(failed ? 1 : code);
  }
}
