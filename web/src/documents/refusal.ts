import { TokencastError } from '../../../src/client/index.js';
import { fileSize } from './words.js';

/** Why a file was not taken, for who gave it. */
export interface Refusal {
  words: string;
  /** Whether the same file may be taken at another try. */
  mayRetry: boolean;
}

/** It cannot be read where it lies. */
export const unreadable = new Error('the file cannot be read');

export function refusalOf(error: unknown, file: File): Refusal {
  if (error === unreadable) return { words: 'This is a folder, or cannot be read.', mayRetry: false };
  if (!(error instanceof TokencastError))
    return { words: 'Something went wrong in this page.', mayRetry: true };
  // A proxy may refuse it in words of its own.
  if (error.code === 'payload_too_large' || error.status === 413)
    return {
      words: `Too large: it has ${fileSize(file.size)}. ${limitIn(error.detail)}`.trim(),
      mayRetry: false,
    };
  return {
    words: error.detail,
    mayRetry: error.retryable || error.code === 'budget_exceeded',
  };
}

/** The limit, as the server says it, in the same unit. */
function limitIn(detail: string): string {
  const bytes = /at most (\d+) bytes/.exec(detail)?.[1];
  return bytes === undefined ? '' : `At most ${fileSize(Number(bytes))} are taken.`;
}
