import type { ApiUsage, ContentBlock } from '../../domain/content.js';
import type { Generation, Usage } from '../../domain/generation.js';

/** The id of a message: the same in every stream and answer that tells it. */
export const messageIdOf = (generationId: string): string => `msg_${generationId}`;

/** What clients read; those of Anthropic's that we do not know are null. */
type MessageUsage = Required<Pick<ApiUsage, 'cache_read_input_tokens' | 'cache_creation_input_tokens'>> & {
  input_tokens: number;
  output_tokens: number;
};

export const usageOf = (usage: Usage | null): MessageUsage => ({
  input_tokens: usage?.inputTokens ?? 0,
  output_tokens: usage?.outputTokens ?? 0,
  cache_creation_input_tokens: usage?.cacheCreationInputTokens ?? 0,
  cache_read_input_tokens: usage?.cacheReadInputTokens ?? 0,
});

/** The counts of a model that has only begun. */
export const usageAtStart = (usage: ApiUsage): MessageUsage => ({
  input_tokens: usage.input_tokens ?? 0,
  output_tokens: usage.output_tokens ?? 0,
  cache_creation_input_tokens: usage.cache_creation_input_tokens ?? 0,
  cache_read_input_tokens: usage.cache_read_input_tokens ?? 0,
});

/** A generation that has completed, as the Messages API answers without a stream. */
export const messageOf = ({ id, model, content, stopReason, stopSequence, usage }: Generation) => ({
  id: messageIdOf(id),
  type: 'message',
  role: 'assistant',
  model,
  content: content.flatMap(blockOf),
  stop_reason: stopReason,
  stop_sequence: stopSequence,
  usage: usageOf(usage),
});

/** Results of the worker's own tools have no place in a message of the assistant. */
function blockOf(block: ContentBlock): ContentBlock[] {
  switch (block.type) {
    case 'tool_result':
      return [];
    case 'tool_use':
    case 'server_tool_use': {
      const { type, id, name, input } = block;
      return [{ type, id, name, input }];
    }
    default:
      return [block];
  }
}
