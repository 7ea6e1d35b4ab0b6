import { tokensOf } from '../domain/tokens.js';
import type { Block } from './block.js';
import { splitBlock, type Bounds } from './split-block.js';

export interface SourceSection {
  title: string;
  /** Markdown, the heading included. */
  source: string;
  /** About how many the source has. */
  tokens: number;
}

/** How long a section may be, in tokens, as long as that makes no more than `maxSections` of them. */
const usualTokens = 2500;
const maxSections = 200;
/** A code block or table stays whole up to so many times the length of a section. */
const wholeFactor = 4;
const maxTitleLength = 120;
const maxOpeningLength = 60;

/**
 * Cuts a document into sections; the same blocks give the same sections. Each heading begins one, and what is longer
 * than the bound is cut between blocks. Where that would be too many, lower headings begin none, and sections are longer.
 */
export function toSections(blocks: readonly Block[]): SourceSection[] {
  const total = blocks.reduce((sum, { text }) => sum + tokensOf(text), 0);
  // Two neighbours that were packed are together longer than the bound: so there are at most twice as many.
  const maxTokens = Math.max(usualTokens, Math.ceil((2 * total) / (maxSections - 1)));
  const bounds = { maxTokens, hardMaxTokens: wholeFactor * maxTokens };
  for (let lowest = 6; lowest > 0; lowest -= 1) {
    const sections = cut(chapters(blocks, lowest), bounds);
    if (sections.length <= maxSections) return sections;
  }
  return cut(chapters(blocks, 0), bounds);
}

/** A heading with what stands below it. */
interface Chapter {
  title: string | undefined;
  blocks: Block[];
}

/** @param lowest headings of a lower level (of a higher number) begin no chapter */
function chapters(blocks: readonly Block[], lowest: number): Chapter[] {
  const found: Chapter[] = [];
  let hasText = true;
  for (const block of blocks) {
    const begins = block.kind === 'heading' && (block.level ?? 1) <= lowest;
    const current = found.at(-1);
    if (!current || (begins && hasText))
      found.push({ title: begins ? block.title : undefined, blocks: [block] });
    else {
      // A heading without text of its own goes with the next, which says more.
      if (begins) current.title = block.title;
      current.blocks.push(block);
    }
    hasText = block.kind !== 'heading';
  }
  return found;
}

function cut(found: readonly Chapter[], bounds: Bounds): SourceSection[] {
  return found.flatMap(({ title, blocks }) => {
    const sections = packed(
      blocks.flatMap((block) => splitBlock(block, bounds)),
      bounds.maxTokens,
    );
    return sections.map((section, i) => {
      const source = section.map(({ text }) => text).join(between);
      return {
        title: title === undefined ? (section[0]?.title ?? opening(source)) : titleOf(title, i),
        source,
        tokens: tokensOf(source),
      };
    });
  });
}

function titleOf(title: string, part: number): string {
  const shown = cutTo(title, maxTitleLength);
  return part === 0 ? shown : `${shown} (${part + 1})`;
}

/** The first words of what has no heading. */
function opening(source: string): string {
  const words = source
    .replace(/^[#>*\-|\s`~]+/, '')
    .replace(/\s+/g, ' ')
    .trim();
  return cutTo(words === '' ? source.trim() : words, maxOpeningLength);
}

function cutTo(text: string, length: number): string {
  if (text.length <= length) return text;
  const short = text.slice(0, length);
  return `${(/^.{20,}(?=\s)/s.exec(short)?.[0] ?? short).toWellFormed().trimEnd()} …`;
}

/** Joins neighbours as long as they fit together; a heading stays with what follows it, if the two fit. */
function packed(blocks: readonly Block[], maxTokens: number): Block[][] {
  const pieces = withHeadings(blocks).flatMap((unit) =>
    sizeOf(unit) <= maxTokens ? [unit] : unit.map((block) => [block]),
  );
  const sections: Block[][] = [];
  let filled = 0;
  for (const piece of pieces) {
    const size = sizeOf(piece);
    const last = sections.at(-1);
    if (last && filled + size <= maxTokens) {
      last.push(...piece);
      filled += size;
    } else {
      sections.push([...piece]);
      filled = size;
    }
  }
  return sections;
}

const between = '\n\n';

const sizeOf = (blocks: readonly Block[]) =>
  blocks.reduce((sum, { text }) => sum + tokensOf(text + between), 0);

/** Each block with the headings that stand right before it. */
function withHeadings(blocks: readonly Block[]): Block[][] {
  const units: Block[][] = [];
  let isOpen = false;
  for (const block of blocks) {
    if (isOpen) units.at(-1)?.push(block);
    else units.push([block]);
    isOpen = block.kind === 'heading';
  }
  return units;
}
