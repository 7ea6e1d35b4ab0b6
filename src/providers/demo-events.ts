import type { DemoAnswer, DemoBlock } from './demo-answer.js';
import type { DemoRequest } from './demo-request.js';
import { demoHash, demoTokenCount, demoTokens } from './demo-tokens.js';

interface DemoEvent {
  event: { type: string; [key: string]: unknown };
  /** How many tokens it stands for. */
  tokens?: number;
}

/** The events of a streamed answer, cut off at `max_tokens`. */
export function* demoEvents(request: DemoRequest, answer: DemoAnswer): Iterable<DemoEvent> {
  const input = inputTokens(request);
  let left = request.max_tokens;
  yield event('message_start', {
    message: {
      ...messageHead(request),
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { ...input, output_tokens: 1 },
    },
  });
  for (const [index, block] of answer.blocks.entries()) {
    if (left === 0) break;
    yield event('content_block_start', { index, content_block: emptyBlock(block) });
    if (index === 0) yield event('ping', {});
    for (const delta of deltasOf(block)) {
      if (left === 0) break;
      left -= 1;
      yield { ...event('content_block_delta', { index, delta }), tokens: 1 };
    }
    if (block.type === 'thinking') {
      yield event('content_block_delta', {
        index,
        delta: { type: 'signature_delta', signature: block.signature },
      });
    }
    yield event('content_block_stop', { index });
  }
  const { stop_reason, stop_sequence, output_tokens } = ending(request, answer);
  yield event('message_delta', {
    delta: { stop_reason, stop_sequence },
    usage: { ...input, output_tokens },
  });
  yield event('message_stop', {});
}

/** The same answer as one message, and how many tokens it has. */
export function demoMessage(request: DemoRequest, answer: DemoAnswer): { message: unknown; tokens: number } {
  const { stop_reason, stop_sequence, output_tokens } = ending(request, answer);
  let left = request.max_tokens;
  const content = answer.blocks.flatMap((block) => {
    if (left === 0) return [];
    const pieces = [...demoTokens(writtenOf(block))].slice(0, left);
    left -= pieces.length;
    return [wholeBlock(block, pieces.join(''))];
  });
  const usage = { ...inputTokens(request), output_tokens };
  return {
    message: { ...messageHead(request), content, stop_reason, stop_sequence, usage },
    tokens: output_tokens,
  };
}

function event(type: string, fields: Record<string, unknown>): DemoEvent {
  return { event: { type, ...fields } };
}

function messageHead(request: DemoRequest) {
  const id = demoHash(JSON.stringify(request.messages)).toString(16).padStart(8, '0');
  return { id: `msg_demo_${id}`, type: 'message', role: 'assistant', model: request.model };
}

function inputTokens({ messages, system }: DemoRequest) {
  return {
    input_tokens: demoTokenCount(JSON.stringify([messages, system]).length),
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
  };
}

function ending({ max_tokens }: DemoRequest, { blocks, stopReason, stopSequence }: DemoAnswer) {
  const all = blocks.reduce((sum, block) => sum + [...demoTokens(writtenOf(block))].length, 0);
  return all > max_tokens
    ? { stop_reason: 'max_tokens', stop_sequence: null, output_tokens: max_tokens }
    : { stop_reason: stopReason, stop_sequence: stopSequence, output_tokens: all };
}

/** What of a block is written token by token. */
function writtenOf(block: DemoBlock): string {
  switch (block.type) {
    case 'thinking':
      return block.thinking;
    case 'text':
      return block.text;
    case 'tool_use':
      return block.json;
  }
}

function emptyBlock(block: DemoBlock): Record<string, unknown> {
  switch (block.type) {
    case 'thinking':
      return { type: 'thinking', thinking: '', signature: '' };
    case 'text':
      return { type: 'text', text: '' };
    case 'tool_use':
      return { type: 'tool_use', id: block.id, name: block.name, input: {} };
  }
}

function* deltasOf(block: DemoBlock): Iterable<Record<string, unknown>> {
  for (const piece of demoTokens(writtenOf(block))) {
    switch (block.type) {
      case 'thinking':
        yield { type: 'thinking_delta', thinking: piece };
        break;
      case 'text':
        yield { type: 'text_delta', text: piece };
        break;
      case 'tool_use':
        yield { type: 'input_json_delta', partial_json: piece };
        break;
    }
  }
}

/** A block as one message holds it; `written` may be cut off. */
function wholeBlock(block: DemoBlock, written: string): Record<string, unknown> {
  switch (block.type) {
    case 'thinking':
      return { type: 'thinking', thinking: written, signature: block.signature };
    case 'text':
      return { type: 'text', text: written };
    case 'tool_use':
      return { ...emptyBlock(block), input: written === block.json ? JSON.parse(written) : {} };
  }
}
