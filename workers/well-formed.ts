import { storableText } from '../src/domain/storable.js';

/**
 * Makes the text of a stream fit for JSON in Postgres and for every client: a surrogate pair that was cut between two
 * deltas is put together, NUL and lone surrogates become U+FFFD.
 */
export class WellFormedText {
  #high = '';

  /** The text that can be passed on now; a high surrogate at its end waits for its other half. */
  add(text: string): string {
    const joined = this.#high + text;
    const last = joined.charCodeAt(joined.length - 1);
    const cut = last >= 0xd800 && last <= 0xdbff;
    this.#high = cut ? joined.slice(-1) : '';
    return storableText(cut ? joined.slice(0, -1) : joined);
  }

  /** What still waits, when nothing follows. */
  end(): string {
    const rest = storableText(this.#high);
    this.#high = '';
    return rest;
  }
}
