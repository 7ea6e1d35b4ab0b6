import type { Piece, TextCutter } from './text-cutter.js';

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
/** A character with so many marks on it, in UTF-16 code units, is none: it may be cut. */
const longestCharacter = 256;

/**
 * Lets text go once there are so many characters of it (UTF-16 code units). The last character, as people see them,
 * waits for the marks that may still come on it.
 */
export class SizeCutter implements TextCutter {
  #rest = '';

  constructor(private readonly characters: number) {}

  add(text: string): Piece[] {
    this.#rest += text;
    if (this.#rest.length <= this.characters) return [];
    const end = wholeCharacters(this.#rest);
    return end < this.characters ? [] : this.#take(end);
  }

  end(): Piece[] {
    return this.#take(this.#rest.length);
  }

  markSent(): void {
    this.#rest = '';
  }

  #take(end: number): Piece[] {
    const text = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end);
    return text === '' ? [] : [{ text }];
  }
}

/** How much of the text is sure to be whole, whatever follows. */
function wholeCharacters(text: string): number {
  const tail = text.slice(-longestCharacter);
  const last = graphemes.segment(tail).containing(tail.length - 1)?.index ?? 0;
  if (last > 0 || tail.length < longestCharacter) return text.length - tail.length + last;
  const end = text.length - 1;
  return text.slice(0, end).isWellFormed() ? end : end - 1;
}
