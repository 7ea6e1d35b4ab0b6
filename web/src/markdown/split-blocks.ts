import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmTableFromMarkdown } from 'mdast-util-gfm-table';
import { gfmTable } from 'micromark-extension-gfm-table';

/** So many blocks at the end may still become one with what follows. */
const openBlocks = 3;

/** What stands inside a line cannot end a block: it is not read here. */
const inline = [
  'attention',
  'autolink',
  'characterEscape',
  'characterReference',
  'codeText',
  'hardBreakEscape',
  'htmlText',
  'labelEnd',
  'labelStartImage',
  'labelStartLink',
];
const options = {
  extensions: [gfmTable(), { disable: { null: inline } }],
  mdastExtensions: [gfmTableFromMarkdown()],
};

/**
 * Markdown cut into its top-level blocks, so that while text is appended only the last block changes and is drawn
 * anew. Their concatenation is the text. Texts with link or footnote definitions stay whole: those reach across.
 *
 * @param before the blocks of the same text when it was shorter: what is settled of them is not read again
 */
export function splitBlocks(markdown: string, before: readonly string[] = []): string[] {
  if (/^ {0,3}\[[^\]\n]+\]:/m.test(markdown)) return [markdown];
  const settled = before.slice(0, -openBlocks);
  const start = settled.join('');
  if (!markdown.startsWith(start)) return splitBlocks(markdown);
  const rest = markdown.slice(start.length);
  // From the beginning of its line: its indentation belongs to a block.
  const starts = fromMarkdown(rest, options)
    .children.slice(1)
    .map(({ position }) => rest.lastIndexOf('\n', (position?.start.offset ?? 0) - 1) + 1);
  return [...settled, ...[0, ...starts].map((from, index) => rest.slice(from, starts[index]))].filter(
    Boolean,
  );
}
