import { deltaText, withDeltaText, type ContentBlock } from '../../domain/content.js';
import { partsOf } from '../../domain/parts-of.js';
import { isCall } from './part-chunks.js';
import { isShown, nothingTold, tellParts, type ShownPart, type Told } from './told-parts.js';

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

const isSameBlock = (a: ContentBlock, b: ContentBlock): boolean =>
  a.type === b.type && (!isCall(a) || !isCall(b) || a.id === b.id);
