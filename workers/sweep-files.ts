import { deleteFile, listOrphanedFiles } from '../src/store/document-files.js';
import type { Database } from '../src/store/database.js';
import type { FileStorage } from '../src/storage/file-storage.js';

/** Longer than an upload takes from its storing to its acceptance. */
const orphanedMs = 15 * 60_000;
const pageSize = 100;

/** Removes files whose document was deleted, or never came to be. Safe to run anywhere, and by several at once. */
export async function sweepFiles(
  db: Database,
  storage: FileStorage,
  olderThanMs = orphanedMs,
): Promise<void> {
  for (const key of await listOrphanedFiles(db, olderThanMs, pageSize)) {
    await storage.remove(key);
    await deleteFile(db, key);
  }
}
