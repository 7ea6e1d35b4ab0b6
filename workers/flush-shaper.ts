import {
  deltaText,
  isChunk,
  withDeltaText,
  type Chunk,
  type ContentDelta,
  type StreamPart,
} from '../src/domain/content.js';
import type { GenerationOptions } from '../src/domain/generation.js';
import { SentenceCutter } from './sentence-cutter.js';
import { SizeCutter } from './size-cutter.js';
import type { Piece, TextCutter } from './text-cutter.js';

/** A chunk on its way into the log. */
export interface ShapedChunk {
  chunk: Chunk;
  sentenceIndex?: number;
}

/**
 * Joins the text of a stream by size (any kind of text) or by sentence (what the answer says); `flush` by time, or none,
 * lets everything through.
 *
 * Invariants:
 * - What comes out is what went in: chunks in their order, the texts of a block's deltas in other cuts.
 * - No text waits past the end of its block.
 */
export class FlushShaper {
  #cutter: TextCutter | undefined;
  /** The block that is being cut, as a delta without its text. */
  #open: { index: number; delta: ContentDelta } | undefined;

  constructor(private readonly flush: GenerationOptions['flush']) {
    this.#cutter = cutterFor(flush);
  }

  /** Whether text waits here at all. */
  get active(): boolean {
    return this.#cutter !== undefined;
  }

  /** The stream starts over: what waits is forgotten. */
  clear(): void {
    this.#cutter = cutterFor(this.flush);
    this.#open = undefined;
  }

  /** What goes into the log when this chunk has come. */
  add(chunk: Chunk): ShapedChunk[] {
    if (!this.#cutter) return [{ chunk }];
    if (chunk.type === 'message_start') this.clear();
    if (chunk.type !== 'content_block_delta') return [...this.end(), { chunk }];
    const text = deltaText(chunk.delta);
    // What has no text of its own may overtake the text of its block.
    if (text === undefined) return [{ chunk }];
    if (this.flush?.by === 'sentence' && chunk.delta.type !== 'text_delta') return [...this.end(), { chunk }];
    const before = this.#isOpen(chunk.index, chunk.delta) ? [] : this.end();
    this.#open = { index: chunk.index, delta: chunk.delta };
    return [...before, ...this.#chunks(this.#cutter.add(text))];
  }

  /** The text that waits. */
  end(): ShapedChunk[] {
    const rest = this.#chunks(this.#cutter?.end() ?? []);
    this.#open = undefined;
    return rest;
  }

  /** Goes on behind what an earlier attempt has sent. */
  resume(parts: readonly StreamPart[]): void {
    for (const part of parts)
      if (isChunk(part)) this.add(part);
      else this.end();
    this.#cutter?.markSent();
  }

  #isOpen(index: number, { type }: ContentDelta): boolean {
    return this.#open?.index === index && this.#open.delta.type === type;
  }

  #chunks(pieces: readonly Piece[]): ShapedChunk[] {
    const open = this.#open;
    if (!open) return [];
    return pieces.map(({ text, ...rest }) => ({
      chunk: {
        type: 'content_block_delta',
        index: open.index,
        delta: withDeltaText(open.delta, text),
      },
      ...rest,
    }));
  }
}

function cutterFor(flush: GenerationOptions['flush']): TextCutter | undefined {
  switch (flush?.by) {
    case 'size':
      return new SizeCutter(flush.characters);
    case 'sentence':
      return new SentenceCutter();
    case 'time':
    case undefined:
      return undefined;
  }
}
