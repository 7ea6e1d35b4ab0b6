import { Lexer, Marked } from 'marked';
import { markedTerminal } from 'marked-terminal';
import remend from 'remend';

/** Markdown that is being written, cut where nothing changes any more. */
export interface CutMarkdown {
  /** Whole blocks: paragraphs, lists, blocks of code. */
  done: string;
  /** The block that is being written. */
  open: string;
}

/** Cuts before the last block of a text. */
export function cutMarkdown(text: string): CutMarkdown {
  if (text.includes('\r')) return { done: '', open: text };
  const tokens = new Lexer().blockTokens(text);
  const at = tokens.findLastIndex(({ type }) => type !== 'space');
  const done = tokens
    .slice(0, Math.max(0, at))
    .map(({ raw }) => raw)
    .join('');
  return { done, open: text.slice(done.length) };
}

/** How Markdown is shown. */
export interface MarkdownView {
  /** Of whole blocks. Ends with a line feed unless it is empty. */
  block(markdown: string): string;
  /** Of a block that is being written, in which marks may still be open. */
  openBlock(markdown: string): string;
}

/** Where there is no terminal Markdown stays as it is. */
export const plainMarkdown: MarkdownView = {
  block: (markdown) => (markdown === '' || markdown.endsWith('\n') ? markdown : `${markdown}\n`),
  openBlock: (markdown) => markdown,
};

/** Headings, lists, tables and code in the colours of a terminal. */
export function terminalMarkdown(columns: number): MarkdownView {
  const marked = new Marked(
    markedTerminal({ width: Math.min(columns, 100), reflowText: true, showSectionPrefix: false, tab: 2 }),
  );
  const render = (markdown: string) => marked.parse(markdown, { async: false }).trimEnd();
  return {
    block: (markdown) => (markdown.trim() === '' ? '' : `${render(markdown)}\n\n`),
    openBlock: (markdown) => render(remend(markdown)),
  };
}
