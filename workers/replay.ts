import type { Chunk, ToolResultBlock, RoundEnd, Repair } from '../src/domain/content.js';
import { partsOf } from '../src/domain/parts-of.js';
import type { CachedAnswer } from './cache-turn.js';

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
/** About how much text comes at a time, in UTF-16 code units. */
const pieceLength = 120;

/** A kept answer as the stream that would bring it, up to its last block's end. */
export function* replayOf(
  { content }: CachedAnswer,
  { id, model }: { id: string; model: string },
): Generator<Chunk | ToolResultBlock | RoundEnd | Repair> {
  let open: number | undefined;
  for (const part of partsOf(content, id, model)) {
    if (part.type === 'content_block_start') open = part.index;
    if (part.type === 'content_block_stop') open = undefined;
    if (part.type !== 'content_block_delta' || part.delta.type !== 'text_delta') {
      yield part;
      continue;
    }
    for (const text of cut(part.delta.text)) yield { ...part, delta: { type: 'text_delta', text } };
  }
  if (open !== undefined) yield { type: 'content_block_stop', index: open };
}

function* cut(text: string): Generator<string> {
  let piece = '';
  for (const { segment } of graphemes.segment(text)) {
    piece += segment;
    if (piece.length < pieceLength) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}
