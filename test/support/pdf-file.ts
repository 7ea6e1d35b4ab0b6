import { buffer } from 'node:stream/consumers';
import PDFDocument from 'pdfkit';

/** A chapter of a PDF that is made for a test. */
export interface Chapter {
  title: string;
  paragraphs: readonly string[];
}

interface PdfOptions {
  /** At the top of every page, as books have it; the number stands at its foot. */
  runningHead?: string;
  /** Without it nobody can open the file. */
  password?: string;
  /** Every chapter begins a page. */
  pagePerChapter?: boolean;
}

const margin = 72;

/** A PDF with a title, headings larger than the text, running heads and page numbers; always the same bytes. */
export function makePdf(
  title: string,
  chapters: readonly Chapter[],
  { runningHead = title, password, pagePerChapter = false }: PdfOptions = {},
): Promise<Buffer> {
  const pdf = new PDFDocument({
    size: 'A4',
    margin,
    info: { Title: title, CreationDate: new Date(0) },
    ...(password !== undefined && { userPassword: password, ownerPassword: password }),
  });
  const bytes = buffer(pdf);
  let page = 0;
  const furnish = () => {
    page += 1;
    const { width, height, margins } = pdf.page;
    const bottom = margins.bottom;
    // Else writing below the margin begins a page.
    margins.bottom = 0;
    const line = { width: width - 2 * margin, align: 'center', lineBreak: false } as const;
    pdf.font('Helvetica').fontSize(9);
    pdf.text(runningHead, margin, 36, line).text(String(page), margin, height - 48, line);
    margins.bottom = bottom;
    pdf.fontSize(11);
    pdf.x = margin;
    pdf.y = margin;
  };
  furnish();
  pdf.on('pageAdded', furnish);
  pdf.fontSize(22).text(title).moveDown();
  for (const [i, chapter] of chapters.entries()) {
    if (pagePerChapter && i > 0) pdf.addPage();
    pdf.fontSize(16).text(chapter.title).moveDown(0.5).fontSize(11);
    for (const paragraph of chapter.paragraphs) pdf.text(paragraph, { align: 'left' }).moveDown();
  }
  pdf.end();
  return bytes;
}

/** A PDF as a scanner makes it: pages that are pictures, without a letter of text. */
export function makeScannedPdf(picture: Buffer, pages: number): Promise<Buffer> {
  const pdf = new PDFDocument({ size: 'A4', margin: 0, info: { CreationDate: new Date(0) } });
  const bytes = buffer(pdf);
  for (let page = 0; page < pages; page += 1) {
    if (page > 0) pdf.addPage();
    pdf.image(picture, 0, 0, { width: pdf.page.width });
  }
  pdf.end();
  return bytes;
}
