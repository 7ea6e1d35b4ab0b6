import { Fence, nextSentence } from './sentences.js';
import type { Piece, TextCutter } from './text-cutter.js';

/**
 * Lets text go sentence by sentence, each with its number, counted from 0 over the whole generation. White space and
 * empty lines go with the sentence before them.
 *
 * Invariant: the sentences do not depend on how the text was cut when it came.
 */
export class SentenceCutter implements TextCutter {
  /** The text from the beginning of the sentence that is being written. */
  #rest = '';
  /** How much of it has been sent. */
  #sent = 0;
  #index = 0;
  readonly #fence = new Fence();

  add(text: string): Piece[] {
    this.#rest += text;
    return this.#take(false);
  }

  end(): Piece[] {
    const pieces = this.#take(true);
    this.#fence.close();
    return pieces;
  }

  markSent(): void {
    this.#sent = this.#rest.length;
  }

  #take(isWhole: boolean): Piece[] {
    const pieces: Piece[] = [];
    for (;;) {
      const end = nextSentence(this.#rest, this.#fence, isWhole);
      if (end === undefined) return pieces;
      const text = this.#rest.slice(this.#sent, end);
      if (text !== '') pieces.push({ text, sentenceIndex: this.#index });
      this.#index += 1;
      this.#rest = this.#rest.slice(end);
      this.#sent = Math.max(0, this.#sent - end);
    }
  }
}
