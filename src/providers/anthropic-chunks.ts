import type Anthropic from '@anthropic-ai/sdk';
import type { ApiUsage, Chunk, ContentBlock, ContentDelta } from '../domain/content.js';

interface AnthropicChunksOptions {
  /** White space that was cut from the end of the prefill. */
  trailingSpace?: string;
  /** No thinking deltas; signatures come all the same. */
  omitThinking?: boolean;
}

/**
 * Turns the events of one answer into our chunks: known fields only, unknown events left out. Blocks of a kind that we
 * do not know are left out with all their deltas, and the indexes of the others close up, so that they count from 0
 * without a gap. Throws a TypeError on events that are not what the API promises.
 */
export class AnthropicChunks {
  /** Our index for each of the API's. */
  readonly #indexes = new Map<number, number>();
  /** What the prefill had at its end and the request had not: the model may write it again. */
  #repeatedSpace: string;
  readonly #omitThinking: boolean;

  constructor({ trailingSpace = '', omitThinking = false }: AnthropicChunksOptions = {}) {
    this.#repeatedSpace = trailingSpace;
    this.#omitThinking = omitThinking;
  }

  /** The chunk for an event; undefined: it is not passed on. */
  map(event: Anthropic.RawMessageStreamEvent): Chunk | undefined {
    switch (event.type) {
      case 'message_start':
        return messageStart(event.message);
      case 'content_block_start': {
        const block = knownBlock(event.content_block);
        if (!block) return undefined;
        const index = this.#indexes.size;
        this.#indexes.set(event.index, index);
        if (block.type === 'text') block.text = this.#withoutRepeatedSpace(block.text);
        return { type: 'content_block_start', index, content_block: block };
      }
      case 'content_block_delta': {
        const index = this.#indexes.get(event.index);
        const delta = index === undefined ? undefined : this.#delta(event.delta);
        return index === undefined || !delta ? undefined : { type: 'content_block_delta', index, delta };
      }
      case 'content_block_stop': {
        const index = this.#indexes.get(event.index);
        return index === undefined ? undefined : { type: 'content_block_stop', index };
      }
      case 'message_delta':
        return messageDelta(event.delta, event.usage);
      case 'message_stop':
        return { type: 'message_stop' };
      default:
        return undefined;
    }
  }

  #delta(delta: Anthropic.RawContentBlockDelta): ContentDelta | undefined {
    // The API leaves it out where it is asked to; other services that speak like it may not.
    if (delta.type === 'thinking_delta' && this.#omitThinking) return undefined;
    if (delta.type !== 'text_delta') return knownDelta(delta);
    const text = this.#withoutRepeatedSpace(delta.text);
    return text || !delta.text ? { type: 'text_delta', text } : undefined;
  }

  #withoutRepeatedSpace(text: string): string {
    if (!this.#repeatedSpace || !text) return text;
    let same = 0;
    while (same < text.length && text[same] === this.#repeatedSpace[same]) same += 1;
    this.#repeatedSpace = same === text.length ? this.#repeatedSpace.slice(same) : '';
    return text.slice(same);
  }
}

/** The answer of a blocking call, as the events that a stream would have brought. */
export function* eventsOf(message: Anthropic.Message): Iterable<Anthropic.RawMessageStreamEvent> {
  yield { type: 'message_start', message };
  for (const [index, block] of message.content.entries()) {
    const [start, ...deltas] = startAndDeltas(block);
    yield { type: 'content_block_start', index, content_block: start };
    for (const delta of deltas) yield { type: 'content_block_delta', index, delta };
    yield { type: 'content_block_stop', index };
  }
  const { stop_reason, stop_sequence, stop_details, container, usage } = message;
  yield { type: 'message_delta', delta: { stop_reason, stop_sequence, stop_details, container }, usage };
  yield { type: 'message_stop' };
}

function startAndDeltas(
  block: Anthropic.ContentBlock,
): [Anthropic.ContentBlock, ...Anthropic.RawContentBlockDelta[]] {
  switch (block.type) {
    case 'text':
      return [
        { ...block, text: '', citations: null },
        { type: 'text_delta', text: block.text },
        ...(block.citations ?? []).map((citation) => ({ type: 'citations_delta' as const, citation })),
      ];
    case 'thinking':
      return [
        { ...block, thinking: '', signature: '' },
        { type: 'thinking_delta', thinking: block.thinking },
        { type: 'signature_delta', signature: block.signature },
      ];
    case 'tool_use':
    case 'server_tool_use':
      return [
        { ...block, input: {} },
        { type: 'input_json_delta', partial_json: JSON.stringify(block.input) },
      ];
    default:
      return [block];
  }
}

function messageStart({ id, model, usage }: Anthropic.Message): Chunk {
  return {
    type: 'message_start',
    message: {
      id,
      type: 'message',
      role: 'assistant',
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: knownUsage(usage),
    },
  };
}

function messageDelta(delta: Anthropic.RawMessageDeltaEvent['delta'], usage: Partial<ApiUsage>): Chunk {
  return {
    type: 'message_delta',
    delta: { stop_reason: delta.stop_reason, stop_sequence: delta.stop_sequence ?? null },
    usage: knownUsage(usage),
  };
}

/** The counts that are there. */
function knownUsage(usage: Partial<ApiUsage> | undefined): ApiUsage {
  const known: ApiUsage = {};
  for (const key of usageKeys) {
    const count = usage?.[key];
    if (typeof count === 'number') known[key] = count;
  }
  return known;
}

const usageKeys = [
  'input_tokens',
  'output_tokens',
  'cache_read_input_tokens',
  'cache_creation_input_tokens',
] as const satisfies (keyof ApiUsage)[];

function knownBlock(block: Anthropic.ContentBlock): ContentBlock | undefined {
  switch (block.type) {
    case 'text':
      return {
        type: 'text',
        text: block.text,
        ...(block.citations?.length && { citations: block.citations }),
      };
    case 'thinking':
      return { type: 'thinking', thinking: block.thinking, signature: block.signature };
    case 'redacted_thinking':
      return { type: 'redacted_thinking', data: block.data };
    case 'tool_use':
    case 'server_tool_use':
      return { type: block.type, id: block.id, name: block.name, input: block.input };
    case 'web_search_tool_result':
    case 'web_fetch_tool_result':
    case 'code_execution_tool_result':
    case 'bash_code_execution_tool_result':
    case 'text_editor_code_execution_tool_result':
    case 'tool_search_tool_result':
      return { type: block.type, tool_use_id: block.tool_use_id, content: block.content };
    case 'container_upload':
      return { type: 'container_upload', file_id: block.file_id };
    default:
      return undefined;
  }
}

function knownDelta(delta: Anthropic.RawContentBlockDelta): ContentDelta | undefined {
  switch (delta.type) {
    case 'text_delta':
      return { type: 'text_delta', text: delta.text };
    case 'input_json_delta':
      return { type: 'input_json_delta', partial_json: delta.partial_json };
    case 'thinking_delta':
      return { type: 'thinking_delta', thinking: delta.thinking };
    case 'signature_delta':
      return { type: 'signature_delta', signature: delta.signature };
    case 'citations_delta':
      return { type: 'citations_delta', citation: delta.citation };
    default:
      return undefined;
  }
}
