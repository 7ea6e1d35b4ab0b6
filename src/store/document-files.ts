import { and, eq, isNull, lt, sql } from 'drizzle-orm';
import type { Executor, Transaction } from './database.js';
import { documentFiles } from './schema/documents.js';

/** Notes a file that is about to be stored, so that it is found if nothing comes of it. */
export async function insertFile(db: Executor, key: string): Promise<void> {
  await db.insert(documentFiles).values({ key });
}

/** The file is the document's from now on. */
export async function attachFile(tx: Transaction, key: string, documentId: string): Promise<void> {
  const rows = await tx
    .update(documentFiles)
    .set({ documentId })
    .where(eq(documentFiles.key, key))
    .returning({ key: documentFiles.key });
  if (rows.length === 0) throw new Error(`the file ${key} has been swept away while it was being accepted`);
}

export async function findFileOf(db: Executor, documentId: string): Promise<string | undefined> {
  const [row] = await db
    .select({ key: documentFiles.key })
    .from(documentFiles)
    .where(eq(documentFiles.documentId, documentId));
  return row?.key;
}

/** Files that belong to no document and are older than an upload may take. */
export async function listOrphanedFiles(db: Executor, olderThanMs: number, limit: number): Promise<string[]> {
  const rows = await db
    .select({ key: documentFiles.key })
    .from(documentFiles)
    .where(
      and(
        isNull(documentFiles.documentId),
        lt(documentFiles.createdAt, sql`now() - ${olderThanMs} * interval '1 millisecond'`),
      ),
    )
    .limit(limit);
  return rows.map(({ key }) => key);
}

/** Forgets a file that is no longer stored. */
export async function deleteFile(db: Executor, key: string): Promise<void> {
  await db.delete(documentFiles).where(and(eq(documentFiles.key, key), isNull(documentFiles.documentId)));
}
