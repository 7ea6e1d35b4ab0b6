/**
 * Makes its own of an answer's text, piece by piece.
 *
 * @param delta what is new of the text
 * @param previous what it made last; undefined at the beginning of the text
 */
export type TextHandler<T> = (delta: string, previous: T | undefined) => T;

/** Handlers of one text, each with its result, none knowing of the others. */
export class TextHandlers {
  readonly #handlers = new Map<string, TextHandler<unknown>>();
  readonly #results = new Map<string, unknown>();

  /** @param onThrow hears of a handler that throws; its result stays as it was, and it hears of what comes next */
  constructor(private readonly onThrow: (name: string, error: unknown) => void) {}

  /** What they have made, by their names. */
  get results(): Record<string, unknown> {
    return Object.fromEntries(this.#results);
  }

  /** Takes the place of one of the same name. `text`: what is written already, which it hears as one piece. */
  add(name: string, handler: TextHandler<unknown>, text: string): void {
    this.#handlers.set(name, handler);
    this.#results.delete(name);
    if (text !== '') this.#call(name, handler, text);
  }

  /** What it has made stays. */
  remove(name: string): void {
    this.#handlers.delete(name);
  }

  write(delta: string): void {
    for (const [name, handler] of this.#handlers) this.#call(name, handler, delta);
  }

  /** The text begins anew. */
  reset(): void {
    for (const name of this.#handlers.keys()) this.#results.delete(name);
  }

  #call(name: string, handler: TextHandler<unknown>, delta: string): void {
    try {
      this.#results.set(name, handler(delta, this.#results.get(name)));
    } catch (error) {
      this.onThrow(name, error);
    }
  }
}
