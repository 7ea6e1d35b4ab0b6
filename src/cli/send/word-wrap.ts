import wrapAnsi from 'wrap-ansi';

/** Lines that are kept as they are: those of code and of tables. */
const isFence = (line: string) => /^\s*(```|~~~)/.test(line);
const isTable = (line: string) => /^\s*\|/.test(line);

/** Wraps a text that comes in pieces at words; a word is given out when it is whole. Code and tables are left alone. */
export class WordWrap {
  /** The line that is being written, as it came. */
  #line = '';
  /** How much of the wrapped line was given out. */
  #given = 0;
  #isCode = false;

  constructor(private readonly columns: number) {}

  /** What can be given out now. */
  push(piece: string): string {
    const lines = (this.#line + piece).split('\n');
    const last = lines.pop() ?? '';
    let out = '';
    for (const line of lines) {
      out += `${this.#wrap(line).slice(this.#given)}\n`;
      if (isFence(line)) this.#isCode = !this.#isCode;
      this.#given = 0;
    }
    this.#line = last;
    const whole = last.slice(0, last.search(/\S*$/)).trimEnd();
    return out + (whole === '' ? '' : this.#give(whole));
  }

  /** The rest, when nothing more comes. */
  end(): string {
    return this.#give(this.#line);
  }

  #give(line: string): string {
    const wrapped = this.#wrap(line);
    const out = wrapped.slice(this.#given);
    this.#given = Math.max(this.#given, wrapped.length);
    return out;
  }

  #wrap(line: string): string {
    if (this.#isCode || isFence(line) || isTable(line)) return line;
    const indent = /^\s*/.exec(line)?.[0] ?? '';
    const columns = Math.max(1, this.columns - indent.length);
    const rows = wrapAnsi(line.slice(indent.length), columns).split('\n');
    return rows.map((row) => indent + row.trimEnd()).join('\n');
  }
}
