import type { Chunk, ContentBlock, ContentDelta } from '../domain/content.js';
import { parseStorable } from '../domain/storable.js';

/**
 * The content after one more chunk: what `ContentAccumulator` of the domain does, without touching what was there.
 * Blocks that the chunk leaves alone stay the same objects, and so does the whole array where nothing changed.
 */
export function applyChunk(content: readonly ContentBlock[], chunk: Chunk): readonly ContentBlock[] {
  switch (chunk.type) {
    case 'message_start':
      return [];
    case 'content_block_start':
      return [...content, chunk.content_block];
    case 'content_block_delta':
      return changeBlock(content, chunk.index, (block) => applyDelta(block, chunk.delta));
    case 'content_block_stop':
      return changeBlock(content, chunk.index, closeInput);
    case 'message_delta':
    case 'message_stop':
      return content;
  }
}

/** Chunk indexes count the model's own blocks: tool results stand between them without one. */
function changeBlock(
  content: readonly ContentBlock[],
  index: number,
  change: (block: ContentBlock) => ContentBlock,
): readonly ContentBlock[] {
  let seen = -1;
  const at = content.findIndex((block) => block.type !== 'tool_result' && ++seen === index);
  const block = content[at];
  if (!block) return content;
  const changed = change(block);
  return changed === block ? content : content.with(at, changed);
}

function applyDelta(block: ContentBlock, delta: ContentDelta): ContentBlock {
  switch (delta.type) {
    case 'text_delta':
      return block.type === 'text' ? { ...block, text: block.text + delta.text } : block;
    case 'thinking_delta':
      return block.type === 'thinking' ? { ...block, thinking: block.thinking + delta.thinking } : block;
    case 'signature_delta':
      return block.type === 'thinking' ? { ...block, signature: block.signature + delta.signature } : block;
    case 'input_json_delta':
      return block.type === 'tool_use' || block.type === 'server_tool_use'
        ? { ...block, partial_json: (block.partial_json ?? '') + delta.partial_json }
        : block;
    case 'citations_delta':
      return block.type === 'text'
        ? { ...block, citations: [...(block.citations ?? []), delta.citation] }
        : block;
    default:
      return block;
  }
}

function closeInput(block: ContentBlock): ContentBlock {
  if (block.type !== 'tool_use' && block.type !== 'server_tool_use') return block;
  if (block.partial_json === undefined) return block;
  const { partial_json: json, ...closed } = block;
  if (!json) return closed;
  try {
    return { ...closed, input: parseStorable(json) };
  } catch {
    return block;
  }
}
