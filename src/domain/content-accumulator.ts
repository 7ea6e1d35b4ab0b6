import { textOf, type ContentBlock, type ContentDelta, type StreamPart } from './content.js';
import { parseStorable } from './storable.js';

/**
 * Builds the content of a message from its stream. Chunk indexes count the model's own blocks; tool results, which the
 * worker adds between two rounds, stand in `content` but have no index.
 *
 * Tolerant by contract: a delta of an unknown block is dropped, since a stream may be cut anywhere.
 */
export class ContentAccumulator {
  /** The blocks in their order, tool results included. Mutated in place; copy what is kept. */
  readonly content: ContentBlock[];
  readonly #indexed: ContentBlock[];

  constructor(content: readonly ContentBlock[] = []) {
    this.content = content.map((block) => ({ ...block }));
    this.#indexed = this.content.filter((block) => block.type !== 'tool_result');
  }

  /** The text so far. */
  get text(): string {
    return textOf(this.content);
  }

  /** The index that the model's next block gets. */
  get nextIndex(): number {
    return this.#indexed.length;
  }

  /** The model's block with this chunk index. */
  block(index: number): ContentBlock | undefined {
    return this.#indexed[index];
  }

  apply(part: StreamPart): void {
    switch (part.type) {
      case 'message_start':
        this.content.length = 0;
        this.#indexed.length = 0;
        return;
      case 'content_block_start': {
        const block = { ...part.content_block };
        this.#indexed[part.index] = block;
        this.content.push(block);
        return;
      }
      case 'content_block_delta': {
        const block = this.#indexed[part.index];
        if (block) applyDelta(block, part.delta);
        return;
      }
      case 'content_block_stop': {
        const block = this.#indexed[part.index];
        if (block) closeInput(block);
        return;
      }
      case 'tool_result':
        this.content.push(part);
        return;
      case 'message_delta':
      case 'message_stop':
      case 'round_end':
      case 'repair':
      case 'object':
        return;
    }
  }
}

function applyDelta(block: ContentBlock, delta: ContentDelta): void {
  switch (delta.type) {
    case 'text_delta':
      if (block.type === 'text') block.text += delta.text;
      return;
    case 'thinking_delta':
      if (block.type === 'thinking') block.thinking += delta.thinking;
      return;
    case 'signature_delta':
      if (block.type === 'thinking') block.signature += delta.signature;
      return;
    case 'input_json_delta':
      if (block.type === 'tool_use' || block.type === 'server_tool_use')
        block.partial_json = (block.partial_json ?? '') + delta.partial_json;
      return;
    case 'citations_delta':
      if (block.type === 'text') block.citations = [...(block.citations ?? []), delta.citation];
      return;
  }
}

/** The input of a call is whole. What is no JSON stays as it was written. */
function closeInput(block: ContentBlock): void {
  if (block.type !== 'tool_use' && block.type !== 'server_tool_use') return;
  const json = block.partial_json;
  delete block.partial_json;
  if (!json) return;
  try {
    block.input = parseStorable(json);
  } catch {
    block.partial_json = json;
  }
}
