import { and, asc, inArray, lt, sql } from 'drizzle-orm';
import type { Executor } from './database.js';
import { hasStatus, type GenerationRow } from './generations.js';
import { documents } from './schema/documents.js';
import { generations } from './schema/generations.js';

/** What periodic sweeps look for: states that should not last. */

const olderThan = (column: typeof generations.createdAt, ms: number) =>
  sql`${column} < now() - ${ms} * interval '1 millisecond'`;

/** Conversations in which a generation waits although none is queued or runs. */
export async function listStrandedConversations(
  db: Executor,
  olderThanMs: number,
  limit: number,
): Promise<string[]> {
  const rows = await db
    .selectDistinct({ id: generations.conversationId })
    .from(generations)
    .where(
      and(
        hasStatus('waiting'),
        olderThan(generations.createdAt, olderThanMs),
        sql`not exists (select 1 from generations g where g.conversation_id = ${generations.conversationId}
          and g.status in ('queued', 'running'))`,
      ),
    )
    .limit(limit);
  return rows.flatMap((row) => row.id ?? []);
}

/** Documents that are not over although nothing of them is queued or runs. */
export async function listStrandedDocuments(
  db: Executor,
  olderThanMs: number,
  limit: number,
): Promise<string[]> {
  const rows = await db
    .select({ id: documents.id })
    .from(documents)
    .where(
      and(
        inArray(documents.status, ['queued', 'running']),
        lt(documents.createdAt, sql`now() - ${olderThanMs} * interval '1 millisecond'`),
        sql`not exists (select 1 from ${generations} where ${generations.documentId} = ${documents.id}
          and ${generations.status} in ('queued', 'running'))`,
      ),
    )
    .limit(limit);
  return rows.map((row) => row.id);
}

/** Generations that still run although they were to be cancelled a while ago. */
export async function listUnheardCancels(
  db: Executor,
  olderThanMs: number,
  limit: number,
): Promise<Pick<GenerationRow, 'id' | 'conversationId' | 'documentId'>[]> {
  return db
    .select({
      id: generations.id,
      conversationId: generations.conversationId,
      documentId: generations.documentId,
    })
    .from(generations)
    .where(
      and(
        hasStatus('running'),
        lt(generations.cancelRequestedAt, sql`now() - ${olderThanMs} * interval '1 millisecond'`),
      ),
    )
    .limit(limit);
}

/** Queued or running generations behind an id, in the order of ids: a page of all there are. */
export async function listInQueueOrRunning(
  db: Executor,
  status: 'queued' | 'running',
  { afterId, olderThanMs, limit }: { afterId: string; olderThanMs: number; limit: number },
): Promise<Pick<GenerationRow, 'id' | 'conversationId' | 'documentId' | 'provider'>[]> {
  return db
    .select({
      id: generations.id,
      conversationId: generations.conversationId,
      documentId: generations.documentId,
      provider: generations.provider,
    })
    .from(generations)
    .where(
      and(
        hasStatus(status),
        olderThan(generations.createdAt, olderThanMs),
        sql`${generations.id} > ${afterId}`,
      ),
    )
    .orderBy(asc(generations.id))
    .limit(limit);
}
