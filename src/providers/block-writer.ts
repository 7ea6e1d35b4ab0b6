import type { Chunk, ContentBlock, ContentDelta } from '../domain/content.js';

interface Block {
  key: string;
  start: ContentBlock;
  deltas: ContentDelta[];
}

/**
 * Puts pieces of several blocks, as chat completions mix them, into the order of the Messages API: one block after the
 * other, indexes without a gap. Text and thinking end where another block begins. A tool call ends where its JSON is
 * whole; until then the pieces of others wait, so that nothing is lost where a server writes two calls at once.
 */
export class BlockWriter {
  readonly #waiting = new Map<string, Block>();
  readonly #closedCalls = new Set<string>();
  #open: { key: string; type: ContentBlock['type']; json: string } | undefined;
  #index = -1;

  /**
   * Adds a piece to the block of this key, which begins with its first piece. Throws a TypeError for a piece of a tool
   * call that is whole.
   */
  *write(key: string, start: ContentBlock, delta: ContentDelta | undefined): Iterable<Chunk> {
    if (this.#closedCalls.has(key)) {
      if (delta?.type === 'input_json_delta' && !delta.partial_json.trim()) return;
      throw new TypeError('A tool call went on after its end.');
    }
    if (this.#open?.key === key) {
      if (delta) yield this.#delta(delta);
      return;
    }
    const block = this.#waiting.get(key) ?? { key, start, deltas: [] };
    if (delta) block.deltas.push(delta);
    this.#waiting.set(key, block);
    while (this.#openIsWhole()) {
      const next = this.#next();
      if (!next) return;
      yield* this.#begin(next);
    }
  }

  /** Writes what waits and ends the last block. */
  *end(): Iterable<Chunk> {
    for (let next = this.#next(); next; next = this.#next()) yield* this.#begin(next);
    yield* this.#stop();
  }

  #next(): Block | undefined {
    const [next] = this.#waiting.values();
    if (next) this.#waiting.delete(next.key);
    return next;
  }

  *#begin({ key, start, deltas }: Block): Iterable<Chunk> {
    yield* this.#stop();
    this.#index += 1;
    this.#open = { key, type: start.type, json: '' };
    yield { type: 'content_block_start', index: this.#index, content_block: start };
    for (const delta of deltas) yield this.#delta(delta);
  }

  #delta(delta: ContentDelta): Chunk {
    if (delta.type === 'input_json_delta' && this.#open) this.#open.json += delta.partial_json;
    return { type: 'content_block_delta', index: this.#index, delta };
  }

  *#stop(): Iterable<Chunk> {
    if (!this.#open) return;
    if (this.#open.type === 'tool_use') this.#closedCalls.add(this.#open.key);
    this.#open = undefined;
    yield { type: 'content_block_stop', index: this.#index };
  }

  #openIsWhole(): boolean {
    if (this.#open?.type !== 'tool_use') return true;
    try {
      JSON.parse(this.#open.json);
      return true;
    } catch {
      return false;
    }
  }
}
