import { Screen } from '../screen.js';
import { harmless } from '../terminal-text.js';
import { Typewriter } from './typewriter.js';
import { WordWrap } from './word-wrap.js';

export interface PaperOptions {
  /** Columns. */
  wrap?: number;
  typewriter?: boolean;
}

/** Where an answer is written to as it comes, and how it is going is shown. */
export class Paper {
  #shown = '';
  /** The line of the terminal that is being written. */
  #line = '';
  #status = '';
  #wrap: WordWrap | undefined;
  readonly #typewriter: Typewriter | undefined;
  /** Where text and status share a terminal. */
  readonly #screen: Screen | undefined;
  #saidPercent = 0;

  constructor(
    private readonly options: PaperOptions,
    private readonly stdout: NodeJS.WriteStream,
    private readonly stderr: NodeJS.WriteStream,
  ) {
    this.#begin();
    if (options.typewriter)
      this.#typewriter = new Typewriter((text) => {
        this.#put(text);
      });
    if (stdout.isTTY && stderr.isTTY) this.#screen = new Screen(stdout);
  }

  /** The answer so far. One that does not go on from what was shown has started over. */
  show(text: string): void {
    if (!text.startsWith(this.#shown)) {
      this.#write('\n[the answer starts over]\n\n');
      this.#shown = '';
      this.#begin();
    }
    const piece = text.slice(this.#shown.length);
    if (piece === '') return;
    this.#shown = text;
    this.#write(this.#wrap ? this.#wrap.push(piece) : piece);
  }

  /** How far it is: a line below the text on a terminal; elsewhere now and then a line of its own. */
  progress(percent: number, words: string): void {
    const bar = '█'.repeat(Math.round(percent / 5)).padEnd(20, '░');
    this.#status = `${bar} ${percent}% ${words}`;
    if (this.#screen) this.#screen.draw('', this.#changing());
    else if (this.stderr.isTTY) this.stderr.write(`\r\u001b[K${this.#status}`);
    else if (percent >= this.#saidPercent + 25) {
      this.#saidPercent = percent - (percent % 25);
      this.stderr.write(`${percent}% ${words}\n`);
    }
  }

  /** Resolves when all is on paper, the cursor at the beginning of a line. */
  async end(): Promise<void> {
    if (this.#wrap) this.#write(this.#wrap.end());
    await this.#typewriter?.end();
    if (this.#status !== '' && !this.#screen && this.stderr.isTTY) this.stderr.write('\r\u001b[K');
    this.#status = '';
    if (this.#screen) this.#screen.draw(this.#line === '' ? '' : `${this.#line}\n`);
    else if (this.#shown !== '' && !this.#shown.endsWith('\n')) this.stdout.write('\n');
    this.#line = '';
  }

  #begin(): void {
    const { wrap } = this.options;
    this.#wrap = wrap === undefined ? undefined : new WordWrap(wrap);
  }

  #write(text: string): void {
    if (text === '') return;
    if (this.#typewriter) this.#typewriter.push(text);
    else this.#put(text);
  }

  #put(text: string): void {
    if (!this.#screen) {
      this.stdout.write(this.stdout.isTTY ? harmless(text) : text);
      return;
    }
    const lines = (this.#line + harmless(text)).split('\n');
    this.#line = lines.pop() ?? '';
    this.#screen.draw(lines.map((line) => `${line}\n`).join(''), this.#changing());
  }

  #changing(): string {
    return [this.#line, this.#status].filter((part) => part !== '').join('\n');
  }
}
