import type { ContentBlock, ContentDelta, ObjectNote, RoundEnd, StreamPart } from './content.js';

/** A part that says something, or notes how it went on. */
type SaidPart = Exclude<StreamPart, ObjectNote>;

const toolRoundEnd: RoundEnd = {
  type: 'round_end',
  delta: { stop_reason: 'tool_use', stop_sequence: null },
  usage: {},
};

/** Content that was stored, as the stream that would bring it: for going on where the log has lost it. */
export function partsOf(content: readonly ContentBlock[], messageId: string, model: string): SaidPart[] {
  if (content.length === 0) return [];
  const parts: SaidPart[] = [
    {
      type: 'message_start',
      message: {
        id: messageId,
        type: 'message',
        role: 'assistant',
        model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: {},
      },
    },
  ];
  let index = 0;
  for (const [at, block] of content.entries()) {
    if (block.type === 'tool_result') {
      if (content[at - 1]?.type !== 'tool_result') parts.push(toolRoundEnd);
      parts.push(block);
      continue;
    }
    parts.push({ type: 'content_block_start', index, content_block: emptied(block) });
    for (const delta of deltasOf(block)) parts.push({ type: 'content_block_delta', index, delta });
    // The last text is open, so that it can be gone on with in its block.
    if (at < content.length - 1 || block.type !== 'text') parts.push({ type: 'content_block_stop', index });
    index += 1;
  }
  return parts;
}

/** A block as its start brings it. */
function emptied(block: ContentBlock): ContentBlock {
  switch (block.type) {
    case 'text':
      return { type: 'text', text: '' };
    case 'thinking':
      return { type: 'thinking', thinking: '', signature: '' };
    case 'tool_use':
    case 'server_tool_use': {
      const start = { ...block, input: {} };
      delete start.partial_json;
      return start;
    }
    default:
      return block;
  }
}

/** What its deltas bring. */
function deltasOf(block: ContentBlock): ContentDelta[] {
  switch (block.type) {
    case 'text':
      return [
        { type: 'text_delta', text: block.text },
        ...(block.citations ?? []).map((citation) => ({ type: 'citations_delta' as const, citation })),
      ];
    case 'thinking':
      return [
        { type: 'thinking_delta', thinking: block.thinking },
        { type: 'signature_delta', signature: block.signature },
      ];
    case 'tool_use':
    case 'server_tool_use':
      return [{ type: 'input_json_delta', partial_json: block.partial_json ?? JSON.stringify(block.input) }];
    default:
      return [];
  }
}
