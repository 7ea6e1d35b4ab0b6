import { deltaText, withDeltaText, type ContentBlock, type ContentDelta } from '../../domain/content.js';
import { partsOf } from '../../domain/parts-of.js';
import { restOfInput, isSameInput } from './call-input.js';
import {
  isCall,
  isShown,
  nothingTold,
  takeParts,
  type ShownPart,
  type Told,
  type ToldBlock,
} from './told.js';

/** Content as the parts that would bring it. `isWhole`: nothing more comes; else its last block may still be open. */
export function shownParts(content: readonly ContentBlock[], { isWhole }: { isWhole: boolean }): ShownPart[] {
  const parts = partsOf(content, '', '').filter(isShown);
  const last = content.at(-1);
  if (isWhole || !last || !mayBeOpen(last)) return parts;
  if (parts.at(-1)?.type === 'content_block_stop') parts.pop();
  // A call of which nothing has come yet: its input is not an empty one.
  if (isCall(last) && last.partial_json === undefined) parts.pop();
  return parts;
}

/** Of a call the input is there, where it is whole. */
function mayBeOpen(block: ContentBlock): boolean {
  if (isCall(block)) return block.partial_json !== undefined || JSON.stringify(block.input) === '{}';
  return block.type !== 'tool_result';
}

/**
 * What leads from what was told to all of the parts, of which it must be a beginning. `behind`: it is the other way
 * round; `other`: they are of another answer, or cannot be gone on to.
 */
export function wayTo<T extends Told>(
  told: T,
  parts: readonly ShownPart[],
): { told: T; missing: ShownPart[] } | 'behind' | 'other' {
  const goal = takeParts(nothingTold, parts).told;
  let isBehind = goal.blocks.length < told.blocks.length;
  const missing: ShownPart[] = [];
  for (const [index, block] of told.blocks.entries()) {
    const wanted = goal.blocks[index];
    if (!wanted) break;
    const rest = isSameBlock(block.start, wanted.start) ? restOf(block, wanted) : 'other';
    if (rest === 'other') return 'other';
    if (rest === 'behind') isBehind = true;
    else missing.push(...restParts(index, block, wanted, rest, parts));
  }
  if (isBehind) return 'behind';
  const isNew = (part: ShownPart) =>
    part.type === 'tool_result'
      ? !told.answered.includes(part.tool_use_id)
      : part.index >= told.blocks.length;
  return { told, missing: [...missing, ...parts.filter(isNew)] };
}

/** What a block that was told lacks. */
interface Rest {
  text: string;
  signature: string;
  /** Those before it were told. */
  fromCitation: number;
}

function restOf(block: ToldBlock, wanted: ToldBlock): Rest | 'behind' | 'other' {
  const texts = isCall(block.start) ? restOfCall(block, wanted) : restOfText(block.text, wanted.text);
  const signatures = restOfText(block.signature, wanted.signature);
  if (texts === undefined || signatures === undefined) return isAhead(block, wanted) ? 'behind' : 'other';
  if (block.citations > wanted.citations) return wanted.closed ? 'other' : 'behind';
  const isMore = texts !== '' || signatures !== '' || block.citations < wanted.citations;
  if (block.closed && isMore) return 'other';
  return { text: texts, signature: signatures, fromCitation: block.citations };
}

const restOfText = (told: string, wanted: string): string | undefined =>
  wanted.startsWith(told) ? wanted.slice(told.length) : undefined;

function restOfCall(block: ToldBlock, wanted: ToldBlock): string | undefined {
  if (!wanted.closed) return block.closed ? undefined : restOfText(block.text, wanted.text);
  if (block.closed) return isSameInput(block.text, wanted.text) ? '' : undefined;
  return restOfInput(block.text, wanted.text);
}

/** What was told goes beyond what is wanted, which may still grow. */
function isAhead(block: ToldBlock, wanted: ToldBlock): boolean {
  if (wanted.closed) return false;
  const agree = (a: string, b: string) => a.startsWith(b) || b.startsWith(a);
  return agree(block.text, wanted.text) && agree(block.signature, wanted.signature);
}

/** What a block that was told lacks, and its end where that was not told. */
function restParts(
  index: number,
  block: ToldBlock,
  wanted: ToldBlock,
  { text, signature, fromCitation }: Rest,
  parts: readonly ShownPart[],
): ShownPart[] {
  const deltas = parts.flatMap((part): ContentDelta[] =>
    part.type === 'content_block_delta' && part.index === index ? [part.delta] : [],
  );
  const written = deltas.find((delta) => deltaText(delta) !== undefined);
  const citations = deltas.filter(({ type }) => type === 'citations_delta').slice(fromCitation);
  const rest: ContentDelta[] = [
    ...(written && text !== '' ? [withDeltaText(written, text)] : []),
    ...citations,
    ...(signature === '' ? [] : [{ type: 'signature_delta' as const, signature }]),
  ];
  return [
    ...rest.map((delta) => ({ type: 'content_block_delta' as const, index, delta })),
    ...(wanted.closed && !block.closed ? [{ type: 'content_block_stop' as const, index }] : []),
  ];
}

const isSameBlock = (a: ContentBlock, b: ContentBlock): boolean =>
  a.type === b.type && (!isCall(a) || !isCall(b) || a.id === b.id);
