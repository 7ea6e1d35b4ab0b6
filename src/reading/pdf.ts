import { getDocumentProxy } from 'unpdf';
import type { Block } from './block.js';
import { pdfBlocks, type PdfLine } from './pdf-blocks.js';
import { Unreadable } from './unreadable.js';

type Pdf = Awaited<ReturnType<typeof getDocumentProxy>>;
type TextContent = Awaited<ReturnType<Awaited<ReturnType<Pdf['getPage']>>['getTextContent']>>;
type TextItem = Extract<TextContent['items'][number], { str: string }>;

/** A page with fewer letters than this, on the average of all, is a picture. */
const minLettersPerPage = 8;

/** The blocks of a PDF, read page by page. @throws Unreadable */
export async function readPdf(bytes: Uint8Array): Promise<Block[]> {
  const pdf = await open(bytes);
  const pages: PdfLine[][] = [];
  let letters = 0;
  for (let number = 1; number <= pdf.numPages; number += 1) {
    const page = await pdf.getPage(number);
    const { items } = await page.getTextContent();
    const lines = linesOf(items.filter((item) => 'str' in item));
    for (const { text } of lines) letters += text.match(/[\p{L}\p{N}]/gu)?.length ?? 0;
    pages.push(lines);
    page.cleanup();
  }
  if (letters < minLettersPerPage * pdf.numPages)
    throw new Unreadable('unreadable', 'The PDF has scanned pages only: no text was found in it.');
  return pdfBlocks(pages);
}

async function open(bytes: Uint8Array): Promise<Pdf> {
  try {
    return await getDocumentProxy(bytes, { isEvalSupported: false, stopAtErrors: false });
  } catch (cause) {
    const isLocked = cause instanceof Error && cause.name === 'PasswordException';
    const message = isLocked
      ? 'The PDF is encrypted: a password is needed to read it.'
      : 'The PDF is broken.';
    throw new Unreadable('unreadable', message, { cause });
  }
}

/** The items of a page as lines: what stands on one height, in the order of the page's content. */
function linesOf(items: readonly TextItem[]): PdfLine[] {
  const lines: (PdfLine & { right: number })[] = [];
  for (const { str, width, height, transform } of items) {
    if (str === '') continue;
    const [, , , , left = 0, bottom = 0] = transform as number[];
    const size = Math.round(height * 2) / 2;
    const last = lines.at(-1);
    if (
      last &&
      Math.abs(last.bottom - bottom) < Math.max(1, last.size / 2) &&
      left >= last.right - last.size
    ) {
      // A gap that nobody wrote a space into is one all the same.
      const isApart = left - last.right > last.size * 0.15 && !/\s$/.test(last.text) && !/^\s/.test(str);
      last.text += (isApart ? ' ' : '') + str;
      last.right = left + width;
      last.size = Math.max(last.size, size);
    } else {
      lines.push({ text: str, size, left, bottom, right: left + width });
    }
  }
  return lines
    .map(({ text, size, left, bottom }) => ({ text: text.replace(/\s+/g, ' ').trim(), size, left, bottom }))
    .filter(({ text }) => text !== '');
}
