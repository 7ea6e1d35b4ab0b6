import MarkdownIt, { type Token } from 'markdown-it';
import type { Block } from './block.js';

/** Finds blocks alone: what stands inside them is of no interest here, and makes most of the work. */
const parser = new MarkdownIt('commonmark').enable('table');
parser.core.ruler.enableOnly(['normalize', 'block']);
// They are text of the document, too.
parser.block.ruler.disable('reference');
const inlineParser = new MarkdownIt('commonmark');

/** The blocks of a Markdown text (CommonMark with tables), to the letter. */
export function readMarkdown(text: string): Block[] {
  return blocksIn(parser.parse(text, {}), text.split('\n'), 0);
}

/** The blocks that begin at a level of nesting, in the order of the text. */
function blocksIn(tokens: readonly Token[], lines: readonly string[], level: number): Block[] {
  return tokens.flatMap((token, i): Block[] => {
    if (token.level !== level || !token.map) return [];
    const text = lines
      .slice(...token.map)
      .join('\n')
      .trimEnd();
    if (text.trim() === '') return [];
    switch (token.type) {
      case 'heading_open': {
        const title = plain(tokens[i + 1]?.content ?? '');
        // A heading inside a list or quotation begins no section.
        if (level > 0) return [{ kind: 'text', text }];
        return title ? [{ kind: 'heading', level: Number(token.tag.slice(1)), title, text }] : [];
      }
      case 'fence':
      case 'code_block':
        return [{ kind: 'code', text }];
      case 'table_open':
        return [{ kind: 'table', text }];
      case 'bullet_list_open':
      case 'ordered_list_open':
      case 'list_item_open':
      case 'blockquote_open':
        return [{ kind: 'text', text, parts: blocksIn(insideOf(tokens, i), lines, level + 1) }];
      default:
        return [{ kind: 'text', text }];
    }
  });
}

function insideOf(tokens: readonly Token[], open: number): readonly Token[] {
  const level = tokens[open]?.level ?? 0;
  let close = open + 1;
  while ((tokens[close]?.level ?? level) > level) close += 1;
  return tokens.slice(open + 1, close);
}

/** The words of a heading, without their marks. */
const plain = (markdown: string): string =>
  inlineParser
    .parseInline(markdown, {})
    .flatMap(({ children }) => children ?? [])
    .map(({ type, content }) => (type === 'softbreak' || type === 'hardbreak' ? ' ' : content))
    .join('')
    .replace(/\s+/g, ' ')
    .trim();

const marks: readonly RegExp[] = [
  /^ {0,3}#{1,6}[ \t]+\S/m,
  /^ {0,3}(```|~~~)/m,
  /^ {0,3}\|?[ \t]*:?-{3,}:?[ \t]*\|[ \t|:-]*$/m,
  /^\S.*\n {0,3}(={3,}|-{3,})[ \t]*$/m,
  /\[[^\]\n]+\]\((https?:|\/|#|\.)[^)\n]*\)/,
];

/** Whether a text has marks that make it Markdown rather than text: headings, fences, tables, links. */
export const isMarkdown = (text: string): boolean => marks.some((mark) => mark.test(text));
