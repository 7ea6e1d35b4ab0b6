import { and, desc, eq, inArray, isNull, sql, type SQL } from 'drizzle-orm';
import type { DocumentPhase } from '../domain/document-phase.js';
import type { Usage } from '../domain/generation.js';
import type { Executor, Transaction } from './database.js';
import { prepared } from './prepared.js';
import { documentSteps, documents } from './schema/documents.js';
import { generations } from './schema/generations.js';

export type DocumentRow = typeof documents.$inferSelect;
type NewDocument = typeof documents.$inferInsert;
type StepTexts = 'source' | 'text' | 'value' | 'search';
/** A section or phase without its texts. */
export type StepRow = Omit<typeof documentSteps.$inferSelect, StepTexts>;
export type StepWithTexts = Omit<typeof documentSteps.$inferSelect, 'source' | 'search'>;
type StepChanges = Partial<Omit<typeof documentSteps.$inferInsert, 'documentId' | 'position'>>;

const headColumns = {
  documentId: documentSteps.documentId,
  position: documentSteps.position,
  phase: documentSteps.phase,
  title: documentSteps.title,
  tokens: documentSteps.tokens,
  status: documentSteps.status,
  tries: documentSteps.tries,
  generationId: documentSteps.generationId,
  messageId: documentSteps.messageId,
  error: documentSteps.error,
  startedAt: documentSteps.startedAt,
  durationMs: documentSteps.durationMs,
};

/** So many sections are written in one statement. */
const sectionsPerInsert = 50;

export async function insertDocument(
  tx: Transaction,
  document: NewDocument,
  sections: readonly { messageId: string; title: string; source: string; tokens: number }[],
  phases: readonly { messageId: string; phase: DocumentPhase }[],
): Promise<DocumentRow> {
  const [row] = await tx.insert(documents).values(document).returning();
  if (!row) throw new Error('insert returned no row');
  const steps = [
    ...sections.map((section) => ({ ...section, phase: null })),
    ...phases.map((phase) => ({ ...phase, title: phase.phase })),
  ].map((step, position) => ({ ...step, documentId: row.id, position, status: 'pending' as const }));
  for (let from = 0; from < steps.length; from += sectionsPerInsert)
    await tx.insert(documentSteps).values(steps.slice(from, from + sectionsPerInsert));
  return row;
}

export async function findDocument(db: Executor, id: string): Promise<DocumentRow | undefined> {
  const [row] = await db.select().from(documents).where(eq(documents.id, id));
  return row;
}

const owners = prepared((db) =>
  db
    .select({ documentId: documents.id, userId: documents.userId })
    .from(documents)
    .where(sql`${documents.id} = any(${sql.placeholder('documentIds')}::uuid[])`)
    .prepare('owners'),
);

/** Whose these documents are. */
export const listOwners = (
  db: Executor,
  documentIds: readonly string[],
): Promise<{ documentId: string; userId: string }[]> => owners(db).execute({ documentIds });

/** The user's own; undefined also where it is somebody else's. */
export async function findDocumentOf(
  db: Executor,
  id: string,
  userId: string,
): Promise<DocumentRow | undefined> {
  const [row] = await db
    .select()
    .from(documents)
    .where(and(eq(documents.id, id), eq(documents.userId, userId)));
  return row;
}

/** Those of a user, the newest first; one more than `limit` when there are more. */
export async function listDocuments(
  db: Executor,
  userId: string,
  { limit, before }: { limit: number; before?: string | undefined },
): Promise<DocumentRow[]> {
  return db
    .select()
    .from(documents)
    .where(
      and(
        eq(documents.userId, userId),
        before
          ? sql`(${documents.createdAt}, ${documents.id}) < (select d.created_at, d.id from documents d where d.id = ${before})`
          : undefined,
      ),
    )
    .orderBy(desc(documents.createdAt), desc(documents.id))
    .limit(limit + 1);
}

/**
 * Locks the document against everything else that writes its outbox or its steps: the first lock of every such
 * transaction (then generations by id, then budgets).
 */
export async function lockDocument(tx: Transaction, id: string): Promise<DocumentRow | undefined> {
  const [row] = await tx.select().from(documents).where(eq(documents.id, id)).for('no key update');
  return row;
}

export async function updateDocument(
  tx: Transaction,
  id: string,
  changes: Partial<NewDocument>,
): Promise<DocumentRow> {
  const [row] = await tx.update(documents).set(changes).where(eq(documents.id, id)).returning();
  if (!row) throw new Error(`document ${id} has vanished under its lock`);
  return row;
}

/** Deletes it with its sections and generations. */
export async function deleteDocument(tx: Transaction, id: string): Promise<void> {
  await tx.delete(documents).where(eq(documents.id, id));
}

/** The sections and phases of documents, in order. */
export async function listSteps(db: Executor, ...documentIds: string[]): Promise<StepRow[]> {
  if (documentIds.length === 0) return [];
  return db
    .select(headColumns)
    .from(documentSteps)
    .where(inArray(documentSteps.documentId, documentIds))
    .orderBy(documentSteps.documentId, documentSteps.position);
}

/** The same of one document with what has been written. */
export async function listStepsWithTexts(db: Executor, documentId: string): Promise<StepWithTexts[]> {
  return db
    .select({ ...headColumns, text: documentSteps.text, value: documentSteps.value })
    .from(documentSteps)
    .where(eq(documentSteps.documentId, documentId))
    .orderBy(documentSteps.position);
}

/** One section with its texts. */
export async function findSection(db: Executor, documentId: string, index: number) {
  const [row] = await db
    .select({ ...headColumns, text: documentSteps.text, source: documentSteps.source })
    .from(documentSteps)
    .where(
      and(
        eq(documentSteps.documentId, documentId),
        eq(documentSteps.position, index),
        isNull(documentSteps.phase),
      ),
    );
  return row;
}

/**
 * The sections of a document in the order of what they have to do with a question, each with its score: how many of the
 * question's words it has, rare ones counting more.
 */
export async function rankSections(
  db: Executor,
  documentId: string,
  question: string,
): Promise<{ position: number; tokens: number; score: number }[]> {
  const { rows } = await db.execute<{ position: number; tokens: number; score: number }>(sql`
    with sections as (
      select ${documentSteps.position} as position, ${documentSteps.tokens} as tokens, ${documentSteps.search} as search
      from ${documentSteps} where ${documentSteps.documentId} = ${documentId} and ${documentSteps.phase} is null
    ), hits as (
      select word, position, count(*) over (partition by word) as found_in
      from unnest(tsvector_to_array(to_tsvector('simple', ${question}))) as word
      join sections on search @@ quote_literal(word)::tsquery
    )
    select sections.position, sections.tokens,
      coalesce(sum(ln(1 + (select count(*) from sections)::float8 / found_in)), 0)::float8 as score
    from sections left join hits on hits.position = sections.position
    group by sections.position, sections.tokens
    order by score desc, sections.position`);
  return rows;
}

/** The texts of sections, in order. */
export async function listSources(
  db: Executor,
  documentId: string,
  positions: readonly number[],
): Promise<{ index: number; title: string; source: string }[]> {
  if (positions.length === 0) return [];
  const rows = await db
    .select({ index: documentSteps.position, title: documentSteps.title, source: documentSteps.source })
    .from(documentSteps)
    .where(and(eq(documentSteps.documentId, documentId), inArray(documentSteps.position, [...positions])))
    .orderBy(documentSteps.position);
  return rows.map(({ source, ...row }) => ({ ...row, source: source ?? '' }));
}

/** How many bytes the analyses of a document have that are done, with their titles. */
export async function sizeOfAnalyses(db: Executor, documentId: string): Promise<number> {
  const [row] = await db
    .select({
      bytes: sql<number>`coalesce(sum(octet_length(text) + octet_length(title) + 60), 0)::int`,
    })
    .from(documentSteps)
    .where(
      and(
        eq(documentSteps.documentId, documentId),
        isNull(documentSteps.phase),
        eq(documentSteps.status, 'done'),
      ),
    );
  return row?.bytes ?? 0;
}

/** Changes one step, or those that the condition holds for; their document is locked. */
export async function updateSteps(
  tx: Transaction,
  documentId: string,
  which: number | SQL,
  changes: StepChanges,
): Promise<void> {
  const condition = typeof which === 'number' ? eq(documentSteps.position, which) : which;
  await tx
    .update(documentSteps)
    .set(changes)
    .where(and(eq(documentSteps.documentId, documentId), condition));
}

/** What the runs of documents have used and cost so far, by document. */
export async function sumUsage(
  db: Executor,
  ...documentIds: string[]
): Promise<Map<string, { usage: Usage; costUsd: number }>> {
  if (documentIds.length === 0) return new Map();
  const sumOf = (field: keyof Usage) =>
    sql<number>`coalesce(sum((${generations.usage} ->> ${sql.raw(`'${field}'`)})::float8), 0)::float8`;
  const rows = await db
    .select({
      documentId: generations.documentId,
      inputTokens: sumOf('inputTokens'),
      outputTokens: sumOf('outputTokens'),
      cacheReadInputTokens: sumOf('cacheReadInputTokens'),
      cacheCreationInputTokens: sumOf('cacheCreationInputTokens'),
      costUsd: sql<number>`coalesce(sum(${generations.costUsd}), 0)::float8`,
    })
    .from(generations)
    .where(inArray(generations.documentId, documentIds))
    .groupBy(generations.documentId);
  return new Map(
    rows.map(({ documentId, costUsd, ...usage }) => [documentId ?? '', { usage, costUsd }] as const),
  );
}
