import {
  deltaText,
  type Chunk,
  type ContentBlock,
  type StreamPart,
  type ToolResultBlock,
} from '../../domain/content.js';
import {
  deltaOf,
  endOf,
  isCall,
  resultOf,
  runs,
  startOf,
  type Call,
  type ClientTools,
  type ToldBlock,
} from './part-chunks.js';
import type { UiChunk } from './ui-chunk.js';

/** A part of an answer's stream that shows: of a block of the model's, or the result of a call. */
export type ShownPart = Extract<Chunk, { index: number }> | ToolResultBlock;

export const isShown = (part: StreamPart): part is ShownPart =>
  part.type === 'tool_result' || part.type.startsWith('content_block_');

/** What a client has been told of an answer. */
export interface Told {
  blocks: readonly ToldBlock[];
  /** Calls that have their results. */
  answered: readonly string[];
  /** A step is one call of the model with the results of its tools. */
  step: 'none' | 'open' | 'answered';
}

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
      if (part.index !== told.blocks.length) return { told, chunks: [] };
      const closed = closeBlock(told, clientTools);
      const block: ToldBlock = {
        start: part.content_block,
        text: '',
        closed: isWholeAtStart(part.content_block),
      };
      return {
        told: { ...closed.told, blocks: [...closed.told.blocks, block], step: 'open' },
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

/** Blocks that no deltas follow. */
const isWholeAtStart = ({ type }: ContentBlock): boolean =>
  type !== 'text' && type !== 'thinking' && type !== 'tool_use' && type !== 'server_tool_use';

function openIndex({ blocks }: Told): number | undefined {
  const last = blocks.length - 1;
  return blocks[last]?.closed === false ? last : undefined;
}

const callOf = ({ blocks }: Told, id: string): Call | undefined =>
  blocks.map(({ start }) => start).find((start): start is Call => isCall(start) && start.id === id);

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
