import { counted } from '../lib/format.js';

/** More than fits into a message is not read at all. */
const maxFileBytes = 500_000;

/** Why a file cannot go into a message, in words for who gave it. */
export class UnfitFileError extends Error {
  override readonly name = 'UnfitFileError';
}

/**
 * A text file as a block of code, to be put into a message: in a fence that nothing in the text ends, with its
 * language and its name.
 *
 * @throws UnfitFileError
 */
export async function fencedText(file: File): Promise<string> {
  if (file.size > maxFileBytes) {
    const limit = counted(maxFileBytes / 1000, 'KB', 'KB');
    throw new UnfitFileError(`${file.name} is too large for a message; ${limit} fit in.`);
  }
  const text = decode(await file.arrayBuffer());
  if (text === null) throw new UnfitFileError(`${file.name} is not text; only text can go into a message.`);
  const longest = Math.max(2, ...Array.from(text.matchAll(/^\s*(`{3,})/gm), ([, run = '']) => run.length));
  const fence = '`'.repeat(longest + 1);
  const name = file.name.replace(/[\s`]+/g, '-');
  return `${fence}${languageOf(name)} ${name}\n${text.replace(/\n*$/, '')}\n${fence}\n`;
}

/** Well-formed text without NUL; null: it is something else. */
function decode(bytes: ArrayBuffer): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.includes('\0') ? null : text.replaceAll('\r\n', '\n');
  } catch {
    return null;
  }
}

const languageOf = (name: string): string => /\.(\w{1,12})$/.exec(name)?.[1]?.toLowerCase() ?? 'text';
