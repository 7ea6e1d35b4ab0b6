import { analyse } from 'chardet';
import iconv from 'iconv-lite';
import { Unreadable } from './unreadable.js';

/** Enough to tell encodings apart. */
const sampleBytes = 65_536;
/** Text has hardly any control characters but those of lines and pages. */
const maxControlShare = 0.005;

/**
 * The text of a file that is no known binary format: by its byte order mark, as UTF-8 where it is valid, as it says of
 * itself (HTML), else as its bytes suggest.
 *
 * @throws Unreadable `unsupported`: it is no text
 */
export function decodeText(bytes: Uint8Array): string {
  const text = decode(bytes)
    .replace(/^\uFEFF/, '')
    .replace(/\r\n?/g, '\n')
    .toWellFormed();
  if (!isText(text)) throw notText();
  return text;
}

const notText = () => new Unreadable('unsupported', 'This is neither text, Markdown, HTML, PDF nor DOCX.');

/** Whether the bytes begin as no other file does than a text. */
export const hasByteOrderMark = (bytes: Uint8Array): boolean => markedEncoding(bytes) !== undefined;

/** Whether the bytes are UTF-8 without a control character that no text has. */
export function isPlainText(bytes: Uint8Array): boolean {
  try {
    // eslint-disable-next-line no-control-regex -- they are what is looked for
    return !/[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]/.test(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return false;
  }
}

function decode(bytes: Uint8Array): string {
  const marked = markedEncoding(bytes) ?? wideEncoding(bytes);
  if (marked) return iconv.decode(Buffer.from(bytes), marked);
  if (bytes.includes(0)) throw notText();
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const name = declaredEncoding(bytes) ?? guessedEncoding(bytes);
    return iconv.decode(Buffer.from(bytes), name);
  }
}

/** By the byte order mark (https://www.unicode.org/faq/utf_bom.html). */
function markedEncoding([a, b, c, d]: Uint8Array): string | undefined {
  if (a === 0xff && b === 0xfe) return c === 0 && d === 0 ? 'utf-32le' : 'utf-16le';
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return 'utf-32be';
  if (a === 0xfe && b === 0xff) return 'utf-16be';
  return a === 0xef && b === 0xbb && c === 0xbf ? 'utf-8' : undefined;
}

/** UTF-16 without a mark: of mostly Latin text every other byte is 0. */
function wideEncoding(bytes: Uint8Array): string | undefined {
  const sample = bytes.subarray(0, sampleBytes & ~1);
  const zeros = [0, 0];
  for (const [i, byte] of sample.entries()) if (byte === 0) zeros[i % 2] = (zeros[i % 2] ?? 0) + 1;
  const [even = 0, odd = 0] = zeros.map((count) => count / Math.max(1, sample.length / 2));
  if (odd > 0.7 && even < 0.05) return 'utf-16le';
  return even > 0.7 && odd < 0.05 ? 'utf-16be' : undefined;
}

/** `<meta charset>` or an XML declaration, of which the HTML standard looks at the first kilobyte. */
function declaredEncoding(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, 1024)).toString('latin1');
  const name = /<meta[^>]+charset=["']?([\w-]+)|<\?xml[^>]+encoding=["']([\w-]+)/i.exec(head);
  const encoding = name?.[1] ?? name?.[2];
  return encoding && !/^utf-?8$/i.test(encoding) && iconv.encodingExists(encoding) ? encoding : undefined;
}

function guessedEncoding(bytes: Uint8Array): string {
  const candidates = analyse(bytes.subarray(0, sampleBytes)).map(({ name }) => name);
  return candidates.find((name) => iconv.encodingExists(name)) ?? 'windows-1252';
}

function isText(text: string): boolean {
  const sample = text.slice(0, sampleBytes);
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  const odd = sample.match(/[\0-\x08\x0e-\x1a\x1c-\x1f\x7f\uFFFD]/g)?.length ?? 0;
  return odd <= sample.length * maxControlShare;
}
