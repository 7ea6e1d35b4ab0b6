import { fromParse5 } from 'hast-util-from-parse5';
import { toMdast } from 'hast-util-to-mdast';
import { gfmToMarkdown } from 'mdast-util-gfm';
import { toMarkdown } from 'mdast-util-to-markdown';
import { toString } from 'mdast-util-to-string';
import { parse } from 'parse5';
import type { Block } from './block.js';

type MarkdownNode = Parameters<typeof toMarkdown>[0];
type MarkdownTree = Extract<MarkdownNode, { type: 'root' }>;

/** The blocks of an HTML page as Markdown: its text without scripts, styles and images. */
export function readHtml(html: string): Block[] {
  // Without the places of all things in the page, which would take as much memory again: nobody asks for them.
  const tree = toMdast(fromParse5(parse(html)), { handlers: { img: () => undefined } });
  const { children }: MarkdownTree = tree.type === 'root' ? tree : { type: 'root', children: [tree] };
  return children.flatMap(blockOf);
}

function blockOf(node: MarkdownNode): Block[] {
  const text = toMarkdown(node, { extensions: [gfmToMarkdown()] }).trimEnd();
  if (text.trim() === '') return [];
  switch (node.type) {
    case 'heading': {
      const title = toString(node).replace(/\s+/g, ' ').trim();
      return title ? [{ kind: 'heading', level: node.depth, title, text }] : [];
    }
    case 'code':
      return [{ kind: 'code', text }];
    case 'table':
      return [{ kind: 'table', text }];
    case 'list':
    case 'listItem':
    case 'blockquote':
      return [{ kind: 'text', text, parts: node.children.flatMap(partOf) }];
    default:
      return [{ kind: 'text', text }];
  }
}

/** A heading inside a list or quotation begins no section. */
const partOf = (node: MarkdownNode): Block[] =>
  blockOf(node).map((block) => (block.kind === 'heading' ? { kind: 'text', text: block.text } : block));
