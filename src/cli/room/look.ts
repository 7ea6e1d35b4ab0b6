import { styleText } from 'node:util';
import { plainMarkdown, terminalMarkdown, type MarkdownView } from './markdown.js';
import type { Style } from './transcript.js';

/** How a room looks on a stream: with colours and Markdown on a terminal, as plain text elsewhere. */
export function lookOn(stream: NodeJS.WriteStream): { markdown: MarkdownView; style: Style } {
  const same = (text: string) => text;
  if (!stream.isTTY) return { markdown: plainMarkdown, style: { name: same, note: same } };
  const markdown = terminalMarkdown(stream.columns || 80);
  if (stream.getColorDepth() < 4) return { markdown, style: { name: same, note: same } };
  return {
    markdown,
    style: { name: (text) => styleText(['bold', 'cyan'], text), note: (text) => styleText('dim', text) },
  };
}
