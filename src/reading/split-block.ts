import { tokensOf } from '../domain/tokens.js';
import type { Block } from './block.js';

/** How long the pieces of a block may be, in tokens. */
export interface Bounds {
  /** What is longer is cut, but for code and tables. */
  maxTokens: number;
  /** What is longer is cut even if it is code or a table: between lines or rows, fence or header repeated. */
  hardMaxTokens: number;
}

/** A block as pieces that keep to the bounds; whole where it does. */
export function splitBlock(block: Block, bounds: Bounds): Block[] {
  const isWhole = block.kind === 'code' || block.kind === 'table';
  if (tokensOf(block.text) <= (isWhole ? bounds.hardMaxTokens : bounds.maxTokens)) return [block];
  switch (block.kind) {
    case 'code':
      return splitCode(block.text, bounds.hardMaxTokens).map((text) => ({ kind: 'code', text }));
    case 'table':
      return splitTable(block.text, bounds.hardMaxTokens).map((text) => ({ kind: 'table', text }));
    case 'heading':
    case 'text':
      if (block.parts && block.parts.length > 0)
        return block.parts.flatMap((part) => splitBlock(part, bounds));
      return splitText(block.text, bounds.maxTokens).map((text) => ({ kind: 'text', text }));
  }
}

/**
 * Where a text is cut, the better places first. Segmenters take a time that grows faster than what they are given: so
 * they get stretches of it.
 */
const splitters: readonly ((text: string) => string[])[] = [
  (text) => text.split(/(?<=\n)/),
  (text) => stretches(text, 20_000),
  (text) => Array.from(sentences.segment(text), ({ segment }) => segment),
  (text) => text.split(/(?<=\s)(?=\S)/),
  (text) => stretches(text, 500),
];

const sentences = new Intl.Segmenter(undefined, { granularity: 'sentence' });

/** Pieces of at most so many UTF-16 code units, that end between words where there are any. */
function stretches(text: string, length: number): string[] {
  const pieces: string[] = [];
  for (let from = 0; from < text.length;) {
    const piece = text.slice(from, from + length);
    const whole = from + length < text.length ? (/^[\s\S]*\s/.exec(piece)?.[0] ?? withoutHalf(piece)) : piece;
    pieces.push(whole);
    from += whole.length;
  }
  return pieces;
}

/** Without the first half of a character that needs two. */
const withoutHalf = (piece: string) => piece.replace(/[\uD800-\uDBFF]$/, '');

/** Cuts between lines, else between sentences, else words, else letters. The pieces together are the text. */
function splitText(text: string, maxTokens: number, level = 0): string[] {
  if (tokensOf(text) <= maxTokens) return [text];
  const split = splitters[level];
  if (!split) return [text];
  return pack(
    split(text).flatMap((part) => splitText(part, maxTokens, level + 1)),
    maxTokens,
  ).filter((part) => part.trim() !== '');
}

/** Joins neighbours as long as they fit together. */
function pack(parts: readonly string[], maxTokens: number): string[] {
  const packed: string[] = [];
  let size = Infinity;
  for (const part of parts) {
    const tokens = tokensOf(part);
    // Rounding up makes the sum of parts rather too large than too small.
    if (size + tokens <= maxTokens) {
      packed.push((packed.pop() ?? '') + part);
      size += tokens;
    } else {
      packed.push(part);
      size = tokens;
    }
  }
  return packed;
}

function splitCode(text: string, maxTokens: number): string[] {
  const fence = /^( {0,3})(`{3,}|~{3,})[^\n]*\n/.exec(text);
  const open = fence?.[0] ?? '';
  const close = fence ? `\n${fence[2] ?? ''}` : '';
  const body = fence ? text.slice(open.length).replace(/\n {0,3}(`{3,}|~{3,})[ \t]*$/, '') : text;
  const room = Math.max(1, maxTokens - tokensOf(open + close));
  return splitText(body, room).map((part) => open + part.replace(/\n$/, '') + close);
}

function splitTable(text: string, maxTokens: number): string[] {
  const [header = '', rule = '', ...rows] = text.split('\n');
  const head = `${header}\n${rule}\n`;
  const room = maxTokens - tokensOf(head);
  // A header that leaves no room for rows is no use to anybody.
  if (room < maxTokens / 2) return splitText(text, maxTokens);
  return splitText(rows.join('\n'), room).map((part) => head + part.replace(/\n$/, ''));
}
