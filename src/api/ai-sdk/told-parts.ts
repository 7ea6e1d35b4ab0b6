import {
  deltaText,
  toolResultText,
  withDeltaText,
  type Chunk,
  type ContentBlock,
  type ContentDelta,
  type StreamPart,
  type ToolResultBlock,
} from '../../domain/content.js';
import { partsOf } from '../../domain/parts-of.js';
import { parseStorable } from '../../domain/storable.js';
import type { UiChunk } from './ui-chunk.js';

/** A part of an answer's stream that shows: of a block of the model's, or the result of a call. */
export type ShownPart = Extract<Chunk, { index: number }> | ToolResultBlock;

export const isShown = (part: StreamPart): part is ShownPart =>
  part.type === 'tool_result' || part.type.startsWith('content_block_');

/** A block of the model's as its client has it. */
interface ToldBlock {
  start: ContentBlock;
  /** What its deltas have brought: text, thinking, or the JSON of a call's input. */
  text: string;
  closed: boolean;
}

/** What a client has been told of an answer. */
export interface Told {
  blocks: readonly ToldBlock[];
  /** Calls that have their results. */
  answered: readonly string[];
  /** A step is one call of the model with the results of its tools. */
  step: 'none' | 'open' | 'answered';
}

/** Which tools the client runs itself, by name. */
export type ClientTools = ReadonlySet<string>;

interface Telling {
  told: Told;
  chunks: UiChunk[];
}

export const nothingTold: Told = { blocks: [], answered: [], step: 'none' };

/**
 * Tells a part. A part that fits nowhere is dropped, since a log may be joined anywhere.
 *
 * Tools of the worker count as run by the provider: clients neither run them nor take their results for their own.
 */
export function tellPart(told: Told, part: ShownPart, clientTools: ClientTools): Telling {
  switch (part.type) {
    case 'content_block_start': {
      const closed = closeBlock(told, clientTools);
      const block: ToldBlock = {
        start: part.content_block,
        text: '',
        closed: isWholeAtStart(part.content_block),
      };
      const blocks = [...closed.told.blocks];
      blocks[part.index] = block;
      return {
        told: { ...closed.told, blocks, step: 'open' },
        chunks: [...closed.chunks, ...stepBefore(told), ...startOf(block, part.index, clientTools)],
      };
    }
    case 'content_block_delta': {
      const block = told.blocks[part.index];
      if (!block || block.closed) return { told, chunks: [] };
      const text = block.text + (deltaText(part.delta) ?? '');
      return {
        told: { ...told, blocks: told.blocks.with(part.index, { ...block, text }) },
        chunks: deltaOf(block, part.index, part.delta),
      };
    }
    case 'content_block_stop':
      return part.index === openIndex(told) ? closeBlock(told, clientTools) : { told, chunks: [] };
    case 'tool_result': {
      const { tool_use_id: toolCallId } = part;
      const call = callOf(told, toolCallId);
      if (!call || told.answered.includes(toolCallId)) return { told, chunks: [] };
      const closed = closeBlock(told, clientTools);
      return {
        told: { ...closed.told, answered: [...told.answered, toolCallId], step: 'answered' },
        chunks: [...closed.chunks, resultOf(part, runs(call.name, clientTools))],
      };
    }
  }
}

/** Tells several parts. */
export function tellParts(told: Told, parts: readonly ShownPart[], clientTools: ClientTools): Telling {
  const chunks: UiChunk[] = [];
  let now = told;
  for (const part of parts) {
    const telling = tellPart(now, part, clientTools);
    now = telling.told;
    chunks.push(...telling.chunks);
  }
  return { told: now, chunks };
}

/** Ends the block that is open, if one is. */
export function closeBlock(told: Told, clientTools: ClientTools): Telling {
  const index = openIndex(told);
  const block = index === undefined ? undefined : told.blocks[index];
  if (index === undefined || !block) return { told, chunks: [] };
  return {
    told: { ...told, blocks: told.blocks.with(index, { ...block, closed: true }) },
    chunks: endOf(block, index, clientTools),
  };
}

/** Ends the step that is open, if one is. */
export const endStep = ({ step }: Told): UiChunk[] => (step === 'none' ? [] : [{ type: 'finish-step' }]);

/** Says of the worker's calls that have no result that none will come. */
export function failCalls(told: Told, clientTools: ClientTools, errorText: string): UiChunk[] {
  return told.blocks.flatMap(({ start }): UiChunk[] =>
    start.type === 'tool_use' && !clientTools.has(start.name) && !told.answered.includes(start.id)
      ? [{ type: 'tool-output-error', toolCallId: start.id, errorText, providerExecuted: true }]
      : [],
  );
}

/** Content as the parts that would bring it. `isWhole`: nothing more comes; else its last block may still be open. */
export function shownParts(content: readonly ContentBlock[], { isWhole }: { isWhole: boolean }): ShownPart[] {
  const parts = partsOf(content, '', '').filter(isShown);
  const last = content.at(-1);
  if (isWhole || !last || !mayBeOpen(last)) return parts;
  if (parts.at(-1)?.type === 'content_block_stop') parts.pop();
  // A call of which nothing has come yet: its input is not an empty one.
  if (last.type === 'tool_use' && last.partial_json === undefined) parts.pop();
  return parts;
}

function mayBeOpen(block: ContentBlock): boolean {
  switch (block.type) {
    case 'text':
    case 'thinking':
      return true;
    case 'tool_use':
    case 'server_tool_use':
      return block.partial_json !== undefined || JSON.stringify(block.input) === '{}';
    default:
      return false;
  }
}

/**
 * What leads from what was told to all of the parts, of which it must be a beginning. `behind`: it is the other way
 * round; `other`: they are of another answer.
 */
export function wayTo(
  told: Told,
  parts: readonly ShownPart[],
): { told: Told; missing: ShownPart[] } | 'behind' | 'other' {
  const goal = tellParts(nothingTold, parts, new Set()).told;
  let isBehind = goal.blocks.length < told.blocks.length;
  const blocks = told.blocks.map((block, index) => {
    const wanted = goal.blocks[index];
    // What was told as JSON need not come back letter by letter.
    return wanted?.closed && isCall(block.start) ? { ...block, text: wanted.text } : block;
  });
  for (const [index, block] of blocks.entries()) {
    const wanted = goal.blocks[index];
    if (!wanted) break;
    if (!isSameBlock(block.start, wanted.start)) return 'other';
    if (block.closed && isCall(block.start)) isBehind ||= !wanted.closed;
    else if (wanted.text.startsWith(block.text)) {
      if (block.closed && wanted.text !== block.text) return 'other';
    } else if (block.text.startsWith(wanted.text) && !wanted.closed) isBehind = true;
    else return 'other';
  }
  if (isBehind) return 'behind';
  const now = { ...told, blocks };
  return { told: now, missing: missingFrom(now, parts) };
}

function missingFrom(told: Told, parts: readonly ShownPart[]): ShownPart[] {
  const seen = new Map<number, number>();
  return parts.flatMap((part): ShownPart[] => {
    if (part.type === 'tool_result') return told.answered.includes(part.tool_use_id) ? [] : [part];
    const has = told.blocks[part.index];
    if (!has) return [part];
    switch (part.type) {
      case 'content_block_start':
        return [];
      case 'content_block_stop':
        return has.closed ? [] : [part];
      case 'content_block_delta': {
        const text = deltaText(part.delta);
        if (text === undefined || has.closed) return [];
        const from = seen.get(part.index) ?? 0;
        seen.set(part.index, from + text.length);
        const rest = text.slice(Math.max(0, has.text.length - from));
        return rest === '' ? [] : [{ ...part, delta: withDeltaText(part.delta, rest) }];
      }
    }
  });
}

type Call = Extract<ContentBlock, { type: 'tool_use' | 'server_tool_use' }>;

const isCall = (block: ContentBlock): block is Call =>
  block.type === 'tool_use' || block.type === 'server_tool_use';

const isSameBlock = (a: ContentBlock, b: ContentBlock): boolean =>
  a.type === b.type && (!isCall(a) || !isCall(b) || a.id === b.id);

/** Blocks that no deltas follow. */
const isWholeAtStart = ({ type }: ContentBlock): boolean =>
  type !== 'text' && type !== 'thinking' && type !== 'tool_use' && type !== 'server_tool_use';

function openIndex({ blocks }: Told): number | undefined {
  const last = blocks.length - 1;
  return blocks[last]?.closed === false ? last : undefined;
}

const callOf = ({ blocks }: Told, id: string): Call | undefined =>
  blocks.map(({ start }) => start).find((start): start is Call => isCall(start) && start.id === id);

/** Absent where the client runs the tool. */
const runs = (name: string, clientTools: ClientTools): { providerExecuted?: true } =>
  clientTools.has(name) ? {} : { providerExecuted: true };

const stepBefore = ({ step }: Told): UiChunk[] => {
  switch (step) {
    case 'none':
      return [{ type: 'start-step' }];
    case 'open':
      return [];
    case 'answered':
      return [{ type: 'finish-step' }, { type: 'start-step' }];
  }
};

/** Names of text and reasoning hold until they have ended. */
const idOf = String;

function startOf({ start }: ToldBlock, index: number, clientTools: ClientTools): UiChunk[] {
  switch (start.type) {
    case 'text':
      return [{ type: 'text-start', id: idOf(index) }];
    case 'thinking':
      return [{ type: 'reasoning-start', id: idOf(index) }];
    case 'tool_use':
    case 'server_tool_use': {
      const { id: toolCallId, name: toolName } = start;
      return [{ type: 'tool-input-start', toolCallId, toolName, ...runs(toolName, clientTools) }];
    }
    case 'redacted_thinking':
    case 'tool_result':
    case 'container_upload':
      return [];
    default:
      return [
        {
          type: 'tool-output-available',
          toolCallId: start.tool_use_id,
          output: start.content,
          providerExecuted: true,
        },
      ];
  }
}

function deltaOf({ start }: ToldBlock, index: number, delta: ContentDelta): UiChunk[] {
  switch (delta.type) {
    case 'text_delta':
      return [{ type: 'text-delta', id: idOf(index), delta: delta.text }];
    case 'thinking_delta':
      return [{ type: 'reasoning-delta', id: idOf(index), delta: delta.thinking }];
    case 'input_json_delta':
      return isCall(start)
        ? [{ type: 'tool-input-delta', toolCallId: start.id, inputTextDelta: delta.partial_json }]
        : [];
    case 'citations_delta':
      return sourceOf(delta.citation);
    case 'signature_delta':
      return [];
  }
}

/** Citations of pages of the web; others cite what the client cannot open. */
function sourceOf(citation: unknown): UiChunk[] {
  if (typeof citation !== 'object' || citation === null || !('url' in citation)) return [];
  const { url } = citation;
  if (typeof url !== 'string') return [];
  const title = 'title' in citation && typeof citation.title === 'string' ? { title: citation.title } : {};
  return [{ type: 'source-url', sourceId: url, url, ...title }];
}

function endOf({ start, text }: ToldBlock, index: number, clientTools: ClientTools): UiChunk[] {
  switch (start.type) {
    case 'text':
      return [{ type: 'text-end', id: idOf(index) }];
    case 'thinking':
      return [{ type: 'reasoning-end', id: idOf(index) }];
    case 'tool_use':
    case 'server_tool_use': {
      const call = { toolCallId: start.id, toolName: start.name };
      const input = inputOf(text, start.input);
      if (input !== undefined)
        return [{ type: 'tool-input-available', ...call, input, ...runs(start.name, clientTools) }];
      const errorText = 'The input of the call is not whole.';
      // So that no client takes it for a call to be answered.
      return [{ type: 'tool-input-error', ...call, input: text, errorText, providerExecuted: true }];
    }
    default:
      return [];
  }
}

/** Undefined: it is no JSON. */
function inputOf(json: string, atStart: unknown): unknown {
  if (json === '') return atStart;
  try {
    return parseStorable(json);
  } catch {
    return undefined;
  }
}

function resultOf(result: ToolResultBlock, by: { providerExecuted?: true }): UiChunk {
  const text = toolResultText(result);
  const { tool_use_id: toolCallId } = result;
  return result.is_error
    ? { type: 'tool-output-error', toolCallId, errorText: text, ...by }
    : { type: 'tool-output-available', toolCallId, output: outputOf(text), ...by };
}

/** Models read text; what is an object or a list in it was one before. */
function outputOf(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
