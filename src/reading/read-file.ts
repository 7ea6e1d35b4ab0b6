import { readFile } from 'node:fs/promises';
import { fileTypeFromBuffer } from 'file-type';
import type { Block } from './block.js';
import { decodeText, hasByteOrderMark, isPlainText } from './decode-text.js';
import { isHtml } from './is-html.js';
import { isMarkdown, readMarkdown } from './markdown.js';
import { readPlainText } from './plain-text.js';
import { toSections, type SourceSection } from './sections.js';
import { Unreadable } from './unreadable.js';

export interface ReadDocument {
  mediaType: string;
  sections: SourceSection[];
}

const docxType = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';

/** Made of letters, and yet nothing that people read. */
const textualTypes: ReadonlySet<string> = new Set(['application/rtf', 'application/postscript']);

/** Longest text of a document, in characters: what a person may send by mistake is longer. */
const maxCharacters = 20_000_000;

/**
 * Reads a file of any name: what it is, its content says. The same file gives the same sections.
 *
 * @throws Unreadable
 */
export async function readDocumentFile(path: string): Promise<ReadDocument> {
  const bytes = new Uint8Array(await readFile(path));
  if (bytes.length === 0) throw new Unreadable('unreadable', 'The file is empty.');
  const { mediaType, blocks } = await readBlocks(bytes);
  const written = blocks.map(storable).filter(({ text }) => text.trim() !== '');
  if (!written.some(({ text }) => /[\p{L}\p{N}]/u.test(text)))
    throw new Unreadable('unreadable', 'No text was found in the file.');
  if (written.reduce((sum, { text }) => sum + text.length, 0) > maxCharacters)
    throw new Unreadable(
      'unreadable',
      `The file has more than ${maxCharacters / 1e6} million characters of text.`,
    );
  return { mediaType, sections: toSections(written) };
}

/** Parsers are loaded where they are needed: every file is read in a process of its own. */
async function readBlocks(bytes: Uint8Array): Promise<{ mediaType: string; blocks: Block[] }> {
  const type = hasByteOrderMark(bytes) ? undefined : await fileTypeFromBuffer(bytes);
  switch (type?.mime) {
    case 'application/pdf':
      return { mediaType: type.mime, blocks: await (await import('./pdf.js')).readPdf(bytes) };
    case docxType:
      return { mediaType: type.mime, blocks: await (await import('./docx.js')).readDocx(bytes) };
    case 'application/x-cfb':
      if (isEncryptedOffice(bytes))
        throw new Unreadable('unreadable', 'The document is encrypted: a password is needed to read it.');
      throw new Unreadable('unsupported', 'Old Office files are not read: save it as .docx or PDF.');
    case undefined:
    case 'application/xml':
      return readText(decodeText(bytes));
    default:
      // Some kinds are told by two letters, with which a text may begin: "BM" is a picture.
      if (type && !textualTypes.has(type.mime) && isPlainText(bytes)) return readText(decodeText(bytes));
      throw new Unreadable(
        'unsupported',
        `The file is ${type?.mime ?? 'unknown'}: text, Markdown, HTML, PDF and DOCX are read.`,
      );
  }
}

async function readText(text: string): Promise<{ mediaType: string; blocks: Block[] }> {
  if (isHtml(text)) return { mediaType: 'text/html', blocks: (await import('./html.js')).readHtml(text) };
  if (isMarkdown(text)) return { mediaType: 'text/markdown', blocks: readMarkdown(text) };
  return { mediaType: 'text/plain', blocks: readPlainText(text) };
}

/** An encrypted .docx is an OLE file with a stream of this name (MS-OFFCRYPTO 2.3.4). */
const isEncryptedOffice = (bytes: Uint8Array) =>
  Buffer.from(bytes).includes(Buffer.from('EncryptedPackage', 'utf16le'));

/** As Postgres and JSON can hold it. */
function storable(block: Block): Block {
  const text = block.text.replaceAll('\0', '').toWellFormed();
  const title = block.title?.replaceAll('\0', '').toWellFormed();
  return {
    ...block,
    text,
    ...(title !== undefined && { title }),
    ...(block.parts && { parts: block.parts.map(storable) }),
  };
}
