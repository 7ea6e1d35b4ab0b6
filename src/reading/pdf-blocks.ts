import { heading, textBlock, type Block } from './block.js';

/** A line of text on a page. Lengths are in points, upwards and to the right. */
export interface PdfLine {
  text: string;
  /** Height of the letters. */
  size: number;
  left: number;
  bottom: number;
}

/** So much larger than the text are headings. */
const headingScale = 1.15;
const maxHeadingLength = 200;
/** A gap of more than so many letters' heights begins a paragraph. */
const paragraphGap = 1.9;
/** What stands at the top or bottom of so many pages is no text. */
const runningShare = 0.4;
/** Of fewer pages nobody can tell. */
const minPagesWithRunning = 4;

/** The blocks of a PDF's pages: headings by their size, paragraphs by their gaps; running heads and page numbers go. */
export function pdfBlocks(pages: readonly PdfLine[][]): Block[] {
  const bodySize = commonSize(pages.flat());
  const text = withoutRunning(pages, bodySize);
  const lines = text.flat();
  const headingSizes = [...new Set(lines.map(({ size }) => size))]
    .filter((size) => size >= bodySize * headingScale)
    .sort((a, b) => b - a);
  const blocks: Block[] = [];
  let paragraph: PdfLine[] = [];
  const close = () => {
    if (paragraph.length > 0) blocks.push(blockOf(paragraph, headingSizes));
    paragraph = [];
  };
  for (const page of text) {
    for (const [i, line] of page.entries()) {
      const before = paragraph.at(-1);
      const isFirst = i === 0;
      if (before && (isFirst ? !goesOnOverleaf(before, line) : beginsParagraph(before, line))) close();
      paragraph.push(line);
    }
  }
  close();
  return blocks;
}

function beginsParagraph(before: PdfLine, line: PdfLine): boolean {
  const size = Math.max(before.size, line.size);
  const gap = before.bottom - line.bottom;
  if (Math.abs(before.size - line.size) > size * 0.1) return true;
  // Upwards: the next column.
  if (gap < 0) return !goesOnOverleaf(before, line);
  return gap > size * paragraphGap || line.left - before.left > size * 0.8;
}

/** A sentence that did not end goes on at the top of the next page or column. */
const goesOnOverleaf = (before: PdfLine, line: PdfLine): boolean =>
  Math.abs(before.size - line.size) <= before.size * 0.1 &&
  !/[.!?:”"']$/.test(before.text) &&
  /^\p{Ll}/u.test(line.text);

function blockOf(lines: readonly PdfLine[], headingSizes: readonly number[]): Block {
  const text = lines.reduce((joined, line) => joinLines(joined, line.text), '');
  const level = headingSizes.indexOf(lines[0]?.size ?? 0) + 1;
  return level > 0 && text.length <= maxHeadingLength ? heading(level, text) : textBlock(text);
}

/** Two lines as one text: a word that was divided is whole again. */
function joinLines(text: string, next: string): string {
  if (text === '') return next;
  if (/\p{L}[-\u00AD]$/u.test(text) && /^\p{Ll}/u.test(next)) return text.slice(0, -1) + next;
  return `${text} ${next}`;
}

/** The size that most letters have. */
function commonSize(lines: readonly PdfLine[]): number {
  const letters = new Map<number, number>();
  for (const { size, text } of lines) letters.set(size, (letters.get(size) ?? 0) + text.length);
  return [...letters].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 0;
}

/**
 * The pages without small lines that come again and again at their top or bottom, figures aside. Where they stand counts,
 * not when they were written: many programs write heads and feet before the text.
 */
function withoutRunning(pages: readonly PdfLine[][], bodySize: number): PdfLine[][] {
  if (pages.length < minPagesWithRunning) return [...pages];
  const edges = pages.map(edgesOf);
  const counts = new Map<string, number>();
  for (const lines of edges)
    for (const text of new Set(lines.map(withoutFigures))) counts.set(text, (counts.get(text) ?? 0) + 1);
  const isRunning = (line: PdfLine) =>
    line.size < bodySize * headingScale &&
    (counts.get(withoutFigures(line)) ?? 0) > pages.length * runningShare;
  return pages.map((page, i) => {
    const running = new Set(edges[i]?.filter(isRunning));
    return page.filter((line) => !running.has(line));
  });
}

const withoutFigures = ({ text }: PdfLine): string => text.replace(/\d+/g, '#');

/** What stands highest and lowest on a page. */
function edgesOf(page: readonly PdfLine[]): PdfLine[] {
  const [first] = page;
  if (!first) return [];
  const top = page.reduce((highest, line) => (line.bottom > highest.bottom ? line : highest), first);
  const foot = page.reduce((lowest, line) => (line.bottom <= lowest.bottom ? line : lowest), first);
  return [top, foot];
}
