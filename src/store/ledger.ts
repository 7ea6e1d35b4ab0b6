import { and, between, eq, inArray, sql } from 'drizzle-orm';
import type { AnyPgColumn } from 'drizzle-orm/pg-core';
import type { Executor, Transaction } from './database.js';
import { conversations, members } from './schema/conversations.js';
import { documents } from './schema/documents.js';
import { ledger } from './schema/budgets.js';

/** Writes down what a generation has used. Nobody changes it any more. */
export async function insertLedgerEntry(tx: Transaction, entry: typeof ledger.$inferInsert): Promise<void> {
  await tx.insert(ledger).values(entry);
}

const sum = (column: AnyPgColumn) => sql<number>`coalesce(sum(${column}), 0)::float8`;

const percentile = (share: number) =>
  sql<number | null>`percentile_cont(${share}::float8) within group (order by ${ledger.firstTokenMs})`;

/** What a user's generations of these days used: one row for each group, see {@link LedgerSums}. */
export function selectLedgerSums(db: Executor, userId: string, from: string, to: string) {
  return db
    .select({
      /** Which of the columns below the row is not grouped by: bits for day, model, conversation and document. */
      grouping: sql<number>`grouping(${ledger.day}, ${ledger.model}, ${ledger.conversationId})`,
      day: sql<string | null>`${ledger.day}::text`,
      model: sql<string | null>`${ledger.model}`,
      conversationId: sql<string | null>`${ledger.conversationId}`,
      documentId: sql<string | null>`${ledger.documentId}`,
      generations: sql<number>`count(*)::int`,
      inputTokens: sum(ledger.inputTokens),
      outputTokens: sum(ledger.outputTokens),
      cacheReadInputTokens: sum(ledger.cacheReadInputTokens),
      cacheCreationInputTokens: sum(ledger.cacheCreationInputTokens),
      costNano: sum(ledger.costNano),
      cacheSavedNano: sum(ledger.cacheSavedNano),
      firstTokenMsP50: percentile(0.5),
      firstTokenMsP95: percentile(0.95),
    })
    .from(ledger)
    .where(and(eq(ledger.userId, userId), between(ledger.day, from, to)))
    .groupBy(
      sql`grouping sets ((), (${ledger.day}), (${ledger.model}), (${ledger.day}, ${ledger.model}), (${ledger.conversationId}, ${ledger.documentId}))`,
    );
}

export type LedgerSums = Awaited<ReturnType<typeof selectLedgerSums>>[number];

/** The titles of those of these conversations and documents that the user may read. */
export async function findTitles(
  db: Executor,
  userId: string,
  ids: { conversationIds: readonly string[]; documentIds: readonly string[] },
): Promise<Map<string, string | null>> {
  const [talks, files] = await Promise.all([
    db
      .select({ id: conversations.id, title: conversations.title })
      .from(conversations)
      .innerJoin(members, and(eq(members.conversationId, conversations.id), eq(members.userId, userId)))
      .where(inArray(conversations.id, [...ids.conversationIds])),
    db
      .select({ id: documents.id, title: documents.name })
      .from(documents)
      .where(and(eq(documents.userId, userId), inArray(documents.id, [...ids.documentIds]))),
  ]);
  return new Map([...talks, ...files].map(({ id, title }) => [id, title]));
}
