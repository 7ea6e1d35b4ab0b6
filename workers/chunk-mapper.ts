import {
  deltaText,
  withDeltaText,
  type Chunk,
  type ContentBlock,
  type ContentDelta,
} from '../src/domain/content.js';
import { storable } from '../src/domain/storable.js';
import { WellFormedText } from './well-formed.js';

/** Where a call of the model goes on. */
export interface MapperStart {
  /** The generation has had its `message_start`. */
  started: boolean;
  /** The index of the call's first new block. */
  nextIndex: number;
  /** The text that the call goes on with: its block, if that is still open, and the white space that may be repeated. */
  resume?: { openIndex: number | undefined; whiteSpace: string };
}

/**
 * Makes the chunks of one call part of the generation's one stream: `message_start` comes once, block indexes run on,
 * and a call that continues a text goes on in its block, without what the model thought before that. Where it goes on
 * with something else, a call of a tool say, the text has ended.
 */
export class ChunkMapper {
  #started: boolean;
  #nextIndex: number;
  /** The text that is gone on with has not come yet: what the model thinks before it is dropped. */
  #awaitsText: boolean;
  readonly #openIndex: number | undefined;
  /** What of the white space may still be repeated. */
  #whiteSpace: string;
  /** The generation's index of each block of this call that is kept. */
  readonly #indexes = new Map<number, number>();
  #text = new WellFormedText();

  constructor({ started, nextIndex, resume }: MapperStart) {
    this.#started = started;
    this.#nextIndex = nextIndex;
    this.#awaitsText = resume !== undefined;
    this.#openIndex = resume?.openIndex;
    this.#whiteSpace = resume?.whiteSpace ?? '';
  }

  /** What of this chunk goes into the stream. */
  map(chunk: Chunk): Chunk[] {
    switch (chunk.type) {
      case 'message_start': {
        if (this.#started) return [];
        this.#started = true;
        return [chunk];
      }
      case 'content_block_start':
        return this.#startBlock(chunk.index, chunk.content_block);
      case 'content_block_delta': {
        const index = this.#indexes.get(chunk.index);
        if (index === undefined) return [];
        const delta = this.#map(chunk.delta);
        return delta ? [{ type: 'content_block_delta', index, delta }] : [];
      }
      case 'content_block_stop': {
        const index = this.#indexes.get(chunk.index);
        if (index === undefined) return [];
        this.#text.end(); // half a character that never came whole
        return [{ ...chunk, index }];
      }
      case 'message_delta':
      case 'message_stop':
        return [chunk];
    }
  }

  #map(delta: ContentDelta): ContentDelta | undefined {
    const text = deltaText(delta);
    if (text === undefined) return storable(delta) as ContentDelta;
    const whole = this.#dropRepeated(this.#text.add(text));
    return whole === '' ? undefined : withDeltaText(delta, whole);
  }

  #startBlock(index: number, block: ContentBlock): Chunk[] {
    const ended: Chunk[] = [];
    if (this.#awaitsText) {
      if (isThought(block)) return [];
      this.#awaitsText = false;
      const open = this.#openIndex;
      if (open !== undefined && block.type === 'text') {
        this.#indexes.set(index, open);
        return [];
      }
      if (open !== undefined) ended.push({ type: 'content_block_stop', index: open });
    }
    const mapped = this.#nextIndex;
    this.#nextIndex += 1;
    this.#indexes.set(index, mapped);
    this.#text = new WellFormedText();
    ended.push({
      type: 'content_block_start',
      index: mapped,
      content_block: storable(block) as ContentBlock,
    });
    return ended;
  }

  /** Takes away the white space that ended the text before the break, where what follows begins with it again. */
  #dropRepeated(text: string): string {
    const space = this.#whiteSpace;
    if (space === '') return text;
    let same = 0;
    while (same < text.length && text[same] === space[same]) same += 1;
    this.#whiteSpace = same === text.length ? space.slice(same) : '';
    return text.slice(same);
  }
}

const isThought = ({ type }: ContentBlock) => type === 'thinking' || type === 'redacted_thinking';
