import {
  deltaText,
  type Chunk,
  type ContentBlock,
  type ContentDelta,
  type StreamPart,
  type ToolResultBlock,
} from '../../domain/content.js';

/** A part of an answer's stream that shows: of a block of the model's, or the result of a call. */
export type ShownPart = Extract<Chunk, { index: number }> | ToolResultBlock;

export const isShown = (part: StreamPart): part is ShownPart =>
  part.type === 'tool_result' || part.type.startsWith('content_block_');

export type Call = Extract<ContentBlock, { type: 'tool_use' | 'server_tool_use' }>;

export const isCall = (block: ContentBlock): block is Call =>
  block.type === 'tool_use' || block.type === 'server_tool_use';

/** A block of the model's as its client has it. */
export interface ToldBlock {
  start: ContentBlock;
  /** What its deltas have brought: text, thinking, or the JSON of a call's input. */
  text: string;
  signature: string;
  /** How many citations it has had. */
  citations: number;
  closed: boolean;
}

/** What the client of a door has been told of an answer. */
export interface Told {
  blocks: readonly ToldBlock[];
  /** Calls that have their results. */
  answered: readonly string[];
}

interface Taken<T> {
  told: T;
  /** What is to be told, in order. */
  parts: ShownPart[];
}

export const nothingTold: Told = { blocks: [], answered: [] };

/**
 * Takes a part behind what was told, with the end of the block before it where that is open still. A part that fits
 * nowhere is dropped, since a log may be joined anywhere.
 */
export function takePart<T extends Told>(told: T, part: ShownPart): Taken<T> {
  const dropped = { told, parts: [] };
  switch (part.type) {
    case 'content_block_start': {
      if (part.index !== told.blocks.length) return dropped;
      const before = closeBlock(told);
      const block: ToldBlock = {
        start: part.content_block,
        text: '',
        signature: '',
        citations: 0,
        closed: false,
      };
      const blocks = [...before.told.blocks, block];
      return { told: { ...before.told, blocks }, parts: [...before.parts, part] };
    }
    case 'content_block_delta': {
      const block = told.blocks[part.index];
      if (!block || block.closed) return dropped;
      const blocks = told.blocks.with(part.index, grown(block, part.delta));
      return { told: { ...told, blocks }, parts: [part] };
    }
    case 'content_block_stop':
      return part.index === openIndex(told) ? closeBlock(told) : dropped;
    case 'tool_result': {
      const { tool_use_id: id } = part;
      if (!callOf(told, id) || told.answered.includes(id)) return dropped;
      const before = closeBlock(told);
      const answered = [...before.told.answered, id];
      return { told: { ...before.told, answered }, parts: [...before.parts, part] };
    }
  }
}

/** Takes several parts. */
export function takeParts<T extends Told>(told: T, parts: readonly ShownPart[]): Taken<T> {
  const taken: ShownPart[] = [];
  let now = told;
  for (const part of parts) {
    const step = takePart(now, part);
    now = step.told;
    taken.push(...step.parts);
  }
  return { told: now, parts: taken };
}

/** Ends the block that is open, if one is. */
export function closeBlock<T extends Told>(told: T): Taken<T> {
  const index = openIndex(told);
  const block = index === undefined ? undefined : told.blocks[index];
  if (index === undefined || !block) return { told, parts: [] };
  const blocks = told.blocks.with(index, { ...block, closed: true });
  return { told: { ...told, blocks }, parts: [{ type: 'content_block_stop', index }] };
}

/** The call with this id, if it was told. */
export const callOf = ({ blocks }: Told, id: string): Call | undefined =>
  blocks.map(({ start }) => start).find((start): start is Call => isCall(start) && start.id === id);

function grown(block: ToldBlock, delta: ContentDelta): ToldBlock {
  switch (delta.type) {
    case 'signature_delta':
      return { ...block, signature: block.signature + delta.signature };
    case 'citations_delta':
      return { ...block, citations: block.citations + 1 };
    default:
      return { ...block, text: block.text + (deltaText(delta) ?? '') };
  }
}

function openIndex({ blocks }: Told): number | undefined {
  const last = blocks.length - 1;
  return blocks[last]?.closed === false ? last : undefined;
}
