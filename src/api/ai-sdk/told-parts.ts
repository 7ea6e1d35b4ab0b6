import {
  callOf,
  closeBlock as closeOpen,
  nothingTold as nothing,
  takePart,
  type ShownPart,
  type Told,
} from '../telling/told.js';
import { deltaOf, endOf, resultOf, runs, startOf, type ClientTools } from './part-chunks.js';
import type { UiChunk } from './ui-chunk.js';

/** What a client has been told of an answer. */
export interface UiTold extends Told {
  /** A step is one call of the model with the results of its tools. */
  step: 'none' | 'open' | 'answered';
}

interface Telling {
  told: UiTold;
  chunks: UiChunk[];
}

export const nothingTold: UiTold = { ...nothing, step: 'none' };

/**
 * Tells a part, unless it fits nowhere.
 *
 * Tools of the worker count as run by the provider: clients neither run them nor take their results for their own.
 */
export function tellPart(told: UiTold, part: ShownPart, clientTools: ClientTools): Telling {
  const taken = takePart(told, part);
  let { step } = told;
  const chunks = taken.parts.flatMap((each): UiChunk[] => {
    const before = stepBefore(step);
    if (each.type === 'tool_result') step = 'answered';
    else if (each.type === 'content_block_start') step = 'open';
    return [
      ...(each.type === 'content_block_start' ? before : []),
      ...chunksOf(taken.told, each, clientTools),
    ];
  });
  return { told: { ...taken.told, step }, chunks };
}

/** Tells several parts. */
export function tellParts(told: UiTold, parts: readonly ShownPart[], clientTools: ClientTools): Telling {
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
export function closeBlock(told: UiTold, clientTools: ClientTools): Telling {
  const closed = closeOpen(told);
  return {
    told: closed.told,
    chunks: closed.parts.flatMap((part) => chunksOf(closed.told, part, clientTools)),
  };
}

/** Ends the step that is open, if one is. */
export const endStep = ({ step }: UiTold): UiChunk[] => (step === 'none' ? [] : [{ type: 'finish-step' }]);

/** Says of the worker's calls that have no result that none will come. */
export function failCalls(told: UiTold, clientTools: ClientTools, errorText: string): UiChunk[] {
  return told.blocks.flatMap(({ start }): UiChunk[] =>
    start.type === 'tool_use' && !clientTools.has(start.name) && !told.answered.includes(start.id)
      ? [{ type: 'tool-output-error', toolCallId: start.id, errorText, providerExecuted: true }]
      : [],
  );
}

/** What is said of a part that has been taken. */
function chunksOf(told: Told, part: ShownPart, clientTools: ClientTools): UiChunk[] {
  if (part.type === 'tool_result') {
    const call = callOf(told, part.tool_use_id);
    return call ? [resultOf(part, runs(call.name, clientTools))] : [];
  }
  const block = told.blocks[part.index];
  if (!block) return [];
  switch (part.type) {
    case 'content_block_start':
      return startOf(block, part.index, clientTools);
    case 'content_block_delta':
      return deltaOf(block, part.index, part.delta);
    case 'content_block_stop':
      return endOf(block, part.index, clientTools);
  }
}

const stepBefore = (step: UiTold['step']): UiChunk[] => {
  switch (step) {
    case 'none':
      return [{ type: 'start-step' }];
    case 'open':
      return [];
    case 'answered':
      return [{ type: 'finish-step' }, { type: 'start-step' }];
  }
};
