import type { Interface } from 'node:readline';
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';

/** The part of the screen's height that what is being written may take. */
const margin = 4;

/** A terminal on which finished text scrolls by, above lines that change, above the line where the user writes. */
export class Screen {
  /** Of the lines that change. */
  #rows = 0;
  /** What changes, as it stands there; undefined: the screen is to be drawn in any case. */
  #drawn: string | undefined;

  constructor(
    private readonly stream: Pick<NodeJS.WriteStream, 'write' | 'columns' | 'rows'>,
    private readonly input?: Interface,
  ) {}

  /** Adds finished text, whole lines, and shows what changes; of what is higher than the screen the end. */
  draw(finished: string, changing = ''): void {
    if (finished === '' && changing === this.#drawn) return;
    this.#drawn = changing;
    const { columns, rows, input } = this;
    const cursorRow = input?.getCursorPos().rows ?? 0;
    const lines =
      changing === ''
        ? []
        : wrapAnsi(changing, columns, { hard: true, trim: false })
            .split('\n')
            .slice(-Math.max(1, rows - margin));
    const up = this.#rows + cursorRow;
    // Up to where the changing lines begin, and away with all below: CSI n A, CR, CSI J.
    const erase = `${up > 0 ? `\u001b[${up}A` : ''}\r\u001b[J`;
    this.#rows = lines.length;
    // The input line goes up by the rows that it had before it is drawn anew.
    this.stream.write(erase + finished + lines.map((line) => `${line}\n`).join('') + '\n'.repeat(cursorRow));
    input?.prompt(true);
  }

  /** Takes the line away that the user has just entered. */
  eraseEntered(line: string): void {
    this.#drawn = undefined;
    const width = stringWidth((this.input?.getPrompt() ?? '') + line);
    this.stream.write(`\u001b[${Math.floor(width / this.columns) + 1}A\r\u001b[J`);
  }

  private get columns(): number {
    return this.stream.columns || 80;
  }

  private get rows(): number {
    return this.stream.rows || 24;
  }
}
