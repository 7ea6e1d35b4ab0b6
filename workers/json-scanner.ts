/** Deeper values are not followed: whoever walks them would exhaust the stack. */
const maxDepth = 100;

const whiteSpace = new Set([' ', '\n', '\r', '\t']);
const opening = new Set(['{', '[']);
const closing = new Set(['}', ']']);
/** What a number, `true`, `false` or `null` begins with. */
const scalarStart = /[-0-9tfn]/;

/**
 * Finds the values of JSON that stand one after the other in a text that grows. What is no JSON is passed over and
 * remembered as a fault. Each character is looked at once.
 */
export class JsonScanner {
  /** The text so far holds something that cannot be JSON. */
  faulty = false;
  /** How many values are whole. */
  count = 0;
  #text = '';
  #kind: 'none' | 'container' | 'string' | 'scalar' = 'none';
  #depth = 0;
  #inString = false;
  /** How much of an escape has been read; 0: none is open. */
  #escape = '';
  /** Up to here the text may be cut: not in an escape, nor behind half of a surrogate pair. */
  #safeLength = 0;

  /** Reads on. Answers the texts of the values that are whole now. */
  add(text: string): string[] {
    const whole: string[] = [];
    for (const character of text) {
      if (this.#kind === 'none') this.#begin(character);
      else if (this.#kind === 'scalar' && !isPartOfScalar(character)) {
        whole.push(this.#finish());
        this.#begin(character);
      } else this.#goOn(character, whole);
    }
    return whole;
  }

  /** Nothing follows: a number at the end is whole. */
  end(): string[] {
    return this.#kind === 'scalar' ? [this.#finish()] : [];
  }

  /** What there is of a value that is not whole, where it can be cut; empty: there is none. */
  get partial(): string {
    return this.#kind === 'container' || this.#kind === 'string' ? this.#text.slice(0, this.#safeLength) : '';
  }

  /** The text is nothing but whole values. */
  get isWhole(): boolean {
    return !this.faulty && this.#kind === 'none' && this.count > 0;
  }

  #begin(character: string): void {
    if (whiteSpace.has(character)) return;
    if (opening.has(character)) this.#kind = 'container';
    else if (character === '"') this.#kind = 'string';
    else if (scalarStart.test(character) && !this.faulty) this.#kind = 'scalar';
    else {
      this.faulty = true;
      return;
    }
    this.#text = character;
    this.#depth = this.#kind === 'container' ? 1 : 0;
    this.#inString = this.#kind === 'string';
    this.#escape = '';
    this.#safeLength = 1;
  }

  #goOn(character: string, whole: string[]): void {
    this.#text += character;
    if (this.#kind === 'scalar') return;
    if (this.#inString) this.#readString(character);
    else if (character === '"') this.#inString = true;
    else if (opening.has(character)) this.#depth += 1;
    else if (closing.has(character)) this.#depth -= 1;
    if (this.#depth > maxDepth) this.faulty = true;
    if (this.#escape === '') this.#safeLength = this.#text.length;
    if (this.#depth === 0 && !this.#inString) whole.push(this.#finish());
  }

  /** Follows a string: its end, and its escapes. Half of a surrogate pair is open until the other half is there. */
  #readString(character: string): void {
    if (this.#escape === '') {
      if (character === '"') this.#inString = false;
      else if (character === '\\') this.#escape = character;
      return;
    }
    const isHighHalf = highHalf.test(this.#escape);
    if (isHighHalf && character !== '\\') {
      // Its other half does not come.
      this.#escape = '';
      this.#readString(character);
      return;
    }
    this.#escape = isHighHalf ? `\\` : this.#escape + character;
    const isWhole = this.#escape[1] === 'u' ? this.#escape.length === 6 : this.#escape.length === 2;
    if (isWhole && !highHalf.test(this.#escape)) this.#escape = '';
  }

  #finish(): string {
    const text = this.#text;
    this.#kind = 'none';
    this.#text = '';
    this.count += 1;
    return text;
  }
}

const highHalf = /^\\u[dD][89abAB][0-9a-fA-F]{2}$/;
const isPartOfScalar = (character: string) => /[-+.0-9a-zA-Z]/.test(character);
