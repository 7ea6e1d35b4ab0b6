/**
 * Reads one file, in a process of its own: see `document-reader.ts`. The path is its only argument; what came of it is
 * its one message to the parent.
 */
import { readDocumentFile } from './read-file.js';
import { Unreadable } from './unreadable.js';
import type { ReaderAnswer } from './document-reader.js';

const answer = await readDocumentFile(process.argv[2] ?? '').then(
  (document): ReaderAnswer => ({ document }),
  (error: unknown): ReaderAnswer => {
    if (error instanceof Unreadable) return { unreadable: { reason: error.reason, message: error.message } };
    return { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  },
);
process.send?.(answer, () => {
  process.disconnect();
});
