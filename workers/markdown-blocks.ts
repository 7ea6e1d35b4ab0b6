import MarkdownIt from 'markdown-it';
import { languageOf } from './markdown-html.js';

/** A part of a Markdown text that stands by itself: a paragraph, a list, a table, a block of code. */
export interface MarkdownBlock {
  source: string;
  /** Of a block of code, where it names one. */
  language: string | null;
  isCode: boolean;
}

/** Longest block, in UTF-16 code units: a longer one goes on as another. So looking at the last one costs no more. */
const maxLength = 12_000;

const structure = new MarkdownIt();
structure.core.ruler.enableOnly(['normalize', 'block']);

/**
 * Cuts a Markdown text into its top-level blocks while it is being written.
 *
 * Invariant: the blocks do not depend on how the text was cut when it came. Markdown is read line by line, and a block is
 * closed for good by the line that begins another (https://spec.commonmark.org/0.31.2/#phase-1-block-structure): so all
 * blocks but the last are final, looking at whole lines alone.
 */
export class MarkdownBlocks {
  /** From the beginning of the last block, with line ends as `\n`. */
  #rest = '';
  #carriageReturn = '';

  add(text: string): void {
    const joined = this.#carriageReturn + text;
    this.#carriageReturn = joined.endsWith('\r') ? '\r' : '';
    this.#rest += joined.slice(0, joined.length - this.#carriageReturn.length).replace(/\r\n?/g, '\n');
  }

  /** The blocks that have become final. */
  take(): MarkdownBlock[] {
    const blocks: MarkdownBlock[] = [];
    for (;;) {
      const view = this.#rest.slice(0, maxLength);
      const found = blocksOf(view.slice(0, view.lastIndexOf('\n') + 1));
      const last = found.pop();
      blocks.push(...found);
      this.#rest = this.#rest.slice(lengthOf(found));
      if (found.length === 0 && this.#rest.length <= maxLength) return blocks;
      if (found.length === 0) blocks.push(...this.#cut(view, last));
    }
  }

  /** The block that is being written, if it says anything. */
  get open(): MarkdownBlock | undefined {
    const found = blocksOf(this.#rest);
    if (found.length < 2) return found[0];
    // Its last line may come to belong to what is above it.
    return { source: this.#rest, language: null, isCode: false };
  }

  /** The last blocks: no text follows. */
  end(): MarkdownBlock[] {
    this.#rest += this.#carriageReturn && '\n';
    this.#carriageReturn = '';
    const blocks = this.take();
    blocks.push(...blocksOf(this.#rest));
    this.#rest = '';
    return blocks;
  }

  /** Cuts what is too long for one block, behind a line where it has lines; code goes on as code. */
  #cut(view: string, block: MarkdownBlock | undefined): MarkdownBlock[] {
    const fence = block?.isCode ? /^\s*(?:`{3,}|~{3,}).*\n/.exec(view)?.[0] : undefined;
    const line = view.lastIndexOf('\n') + 1;
    const end = line > (fence?.length ?? 0) ? line : view.length - Number(!view.isWellFormed());
    this.#rest = (fence ?? '') + this.#rest.slice(end);
    return block ? [{ ...block, source: view.slice(0, end) }] : [];
  }
}

const lengthOf = (blocks: readonly MarkdownBlock[]) =>
  blocks.reduce((sum, { source }) => sum + source.length, 0);

/** The top-level blocks; together their sources are the text, unless it is blank. */
function blocksOf(text: string): MarkdownBlock[] {
  const tokens = structure.parse(text, {}).filter(({ level, nesting }) => level === 0 && nesting >= 0);
  // Definitions of references, which show nothing, and may have been taken for something else before.
  if (tokens.length === 0) return text.trim() === '' ? [] : [{ source: text, language: null, isCode: false }];
  const lineStarts = [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)];
  const starts = tokens.map(({ map }, i) => (i === 0 ? 0 : (lineStarts[map?.[0] ?? 0] ?? 0)));
  return tokens.map(({ type, info }, i) => ({
    source: text.slice(starts[i], starts[i + 1]),
    language: type === 'fence' ? languageOf(info) : null,
    isCode: type === 'fence',
  }));
}
