import type { Chunk } from '../domain/content.js';

/**
 * What a client saw of an answer's writing, for figures while it lasts. Times are the server's, so that what was
 * caught up after a break counts as when it was written.
 */
export interface WritingPace {
  /** Whether the first delta seen was the answer's first. */
  readonly fromStart: boolean;
  /** ISO 8601 UTC. */
  readonly firstAt: string;
  readonly lastAt: string;
  /** Characters since and with the first delta seen. */
  readonly characters: number;
}

/** The pace after one more chunk. `isFirst`: nothing was written before it. */
export function observe(
  pace: WritingPace | null,
  chunk: Chunk,
  { at, isFirst }: { at: string; isFirst: boolean },
): WritingPace | null {
  if (chunk.type === 'message_start') return null;
  if (chunk.type !== 'content_block_delta') return pace;
  const { delta } = chunk;
  const written = 'text' in delta ? delta.text : 'thinking' in delta ? delta.thinking : '';
  return {
    fromStart: pace?.fromStart ?? isFirst,
    firstAt: pace?.firstAt ?? at,
    lastAt: at,
    characters: (pace?.characters ?? 0) + written.length,
  };
}
