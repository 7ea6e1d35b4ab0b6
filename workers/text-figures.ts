/** Counts a text as it is written, without looking at it again: length in UTF-16 code units, and words. */
export class TextFigures {
  characters = 0;
  words = 0;
  #inWord = false;

  add(text: string): void {
    this.characters += text.length;
    for (const character of text) {
      const space = /\s/u.test(character);
      if (!space && !this.#inWord) this.words += 1;
      this.#inWord = !space;
    }
  }
}
