import { and, desc, eq, isNotNull, isNull, lte, or, sql, type SQL } from 'drizzle-orm';
import { textOf } from '../domain/content.js';
import type {
  Generation,
  GenerationHead,
  GenerationMetrics,
  GenerationStatus,
} from '../domain/generation.js';
import type { Executor, Transaction } from './database.js';
import { prepared } from './prepared.js';
import { generations } from './schema/generations.js';

export type GenerationRow = typeof generations.$inferSelect;
type NewGeneration = typeof generations.$inferInsert;

/** One that answers a prompt of a conversation. */
export type ConversationGeneration = GenerationRow & {
  conversationId: string;
  promptId: string;
  position: number;
};

/** One that runs a section or phase of a document. */
export type DocumentGeneration = GenerationRow & { documentId: string };

/** The table's check `generations_of_one_place` sees to it that every row is of one kind. */
export const isOfDocument = (row: GenerationRow): row is DocumentGeneration => row.documentId !== null;
export const isOfConversation = (row: GenerationRow): row is ConversationGeneration =>
  row.conversationId !== null;

/** To the letter, not by values: else a plan for any values could not use the indexes of what is active. */
export const hasStatus = (...statuses: GenerationStatus[]): SQL =>
  sql`${generations.status} in (${sql.raw(statuses.map((status) => `'${status}'`).join())})`;

export const isActive = hasStatus('waiting', 'queued', 'running');

const noMetrics: GenerationMetrics = {
  queuedMs: null,
  firstTokenMs: null,
  durationMs: null,
  chunks: 0,
  characters: 0,
  words: 0,
  charactersPerSecond: null,
  tokensPerSecond: null,
};

const iso = (date: Date | null): string | null => date?.toISOString() ?? null;

/** The generation without text and content, as most events carry it. */
export function toGenerationHead(row: GenerationRow): GenerationHead {
  return {
    id: row.id,
    conversationId: row.conversationId,
    documentId: row.documentId,
    sectionIndex: row.sectionIndex,
    phase: row.phase,
    status: row.status,
    attempt: row.attempt,
    model: row.model,
    options: row.options,
    promptId: row.promptId,
    messageId: row.messageId,
    position: row.position,
    stopReason: row.stopReason,
    stopSequence: row.stopSequence,
    usage: row.usage,
    costUsd: row.costUsd,
    budget: row.budget,
    metrics: row.metrics ?? noMetrics,
    provider: row.provider,
    requestId: row.requestId,
    providerMessageId: row.providerMessageId,
    rateLimits: row.rateLimits,
    streamed: row.streamed,
    cached: row.cached,
    error: row.error,
    createdAt: row.createdAt.toISOString(),
    startedAt: iso(row.startedAt),
    endedAt: iso(row.endedAt),
  };
}

/** The whole generation; `content`: what it has so far, where the row does not know. */
export function toGeneration(row: GenerationRow, content = row.content): Generation {
  // Assigned: what is added behind a spread gives each object a shape of its own (docs/performance.md).
  return Object.assign(toGenerationHead(row), { text: textOf(content), content });
}

const byId = prepared((db) =>
  db
    .select()
    .from(generations)
    .where(eq(generations.id, sql.placeholder('id')))
    .prepare('generation'),
);

export async function findGeneration(db: Executor, id: string): Promise<GenerationRow | undefined> {
  const [row] = await byId(db).execute({ id });
  return row;
}

/** The newest that answers a prompt. */
export async function findAnswering(db: Executor, promptId: string): Promise<GenerationRow | undefined> {
  const [row] = await db
    .select()
    .from(generations)
    .where(eq(generations.promptId, promptId))
    .orderBy(desc(generations.sequence))
    .limit(1);
  return row;
}

const lock = prepared((db) =>
  db
    .select()
    .from(generations)
    .where(eq(generations.id, sql.placeholder('id')))
    .for('no key update')
    .prepare('lock_generation'),
);

/** Locks a generation; its conversation or document is locked before. */
export async function lockGeneration(tx: Transaction, id: string): Promise<GenerationRow | undefined> {
  const [row] = await lock(tx).execute({ id });
  return row;
}

const activeOf = prepared((db) =>
  db
    .select()
    .from(generations)
    .where(and(eq(generations.conversationId, sql.placeholder('conversationId')), isActive))
    .orderBy(generations.sequence)
    .prepare('active_generations'),
);

/** Those of a conversation that have not ended, in the order of acceptance. */
export async function listActiveGenerations(
  db: Executor,
  conversationId: string,
): Promise<ConversationGeneration[]> {
  const rows = await activeOf(db).execute({ conversationId });
  return rows.filter(isOfConversation);
}

/** Those of a document that have not ended, by id. */
export async function listActiveOfDocument(db: Executor, documentId: string): Promise<DocumentGeneration[]> {
  const rows = await db
    .select()
    .from(generations)
    .where(and(eq(generations.documentId, documentId), isActive))
    .orderBy(generations.id);
  return rows.filter(isOfDocument);
}

const ofPlace = prepared((db) =>
  db
    .select()
    .from(generations)
    .where(
      and(
        sql`${generations.id} = any(${sql.placeholder('ids')}::uuid[])`,
        or(
          eq(generations.conversationId, sql.placeholder('placeId')),
          eq(generations.documentId, sql.placeholder('placeId')),
        ),
      ),
    )
    .prepare('generations_of_place'),
);

/** Those of these ids that are in the conversation or document, whatever their state. */
export async function listGenerations(
  db: Executor,
  placeId: string,
  ids: readonly string[],
): Promise<GenerationRow[]> {
  if (ids.length === 0) return [];
  return ofPlace(db).execute({ ids, placeId });
}

/** Changes a generation, which is locked. */
export async function updateGeneration(
  tx: Transaction,
  id: string,
  changes: Partial<NewGeneration>,
): Promise<GenerationRow> {
  const [row] = await tx.update(generations).set(changes).where(eq(generations.id, id)).returning();
  if (!row) throw new Error(`generation ${id} has vanished under its lock`);
  return row;
}

const begin = prepared((db) =>
  db
    .update(generations)
    .set({
      attempt: sql`${generations.attempt} + 1`,
      lostWorkers: sql`${generations.lostWorkers} + (${generations.status} = 'running')::int`,
      status: 'running',
      startedAt: sql`coalesce(${generations.startedAt}, now())`,
    })
    .where(and(eq(generations.id, sql.placeholder('id')), hasStatus('queued', 'running')))
    .returning()
    .prepare('begin_attempt'),
);

/**
 * Begins an attempt: the generation is running from now on, and a worker that ran it before and did not hand it over
 * counts as lost. Undefined: it waits, has ended, or is not there.
 */
export async function beginAttempt(tx: Transaction, id: string): Promise<GenerationRow | undefined> {
  const [row] = await begin(tx).execute({ id });
  return row;
}

const queued = prepared((db) => {
  const some = db
    .select({ one: sql`1` })
    .from(generations)
    .where(hasStatus('waiting', 'queued'))
    .limit(sql.placeholder('atMost'))
    .as('queued');
  return db
    .select({ count: sql<number>`count(*)::int` })
    .from(some)
    .prepare('queued');
});

/** Unfinished generations of all, without those that run. */
export async function countQueued(db: Executor, atMost: number): Promise<number> {
  const [row] = await queued(db).execute({ atMost });
  return row?.count ?? 0;
}

/** Of the user and as urgent as the placeholders `userId` and `priority` say, or more. */
export const isUnfinishedOfUser = (ofDocuments: boolean): SQL | undefined =>
  and(
    eq(generations.userId, sql.placeholder('userId')),
    lte(generations.priority, sql.placeholder('priority')),
    ofDocuments ? isNotNull(generations.documentId) : isNull(generations.documentId),
    isActive,
  );

const unfinished = (ofDocuments: boolean) =>
  prepared((db) =>
    db
      .select({ count: sql<number>`count(*)::int` })
      .from(generations)
      .where(isUnfinishedOfUser(ofDocuments))
      .prepare(`unfinished_of_user_${ofDocuments ? 'documents' : 'conversations'}`),
  );
const unfinishedOfDocuments = unfinished(true);
const unfinishedOfConversations = unfinished(false);

/**
 * Unfinished generations of one user that are as urgent as this one or more (0 is the most urgent). Those of documents
 * and of conversations are counted apart: they wait in different queues.
 */
export async function countUnfinishedOfUser(
  db: Executor,
  { userId, priority, documentId }: Pick<GenerationRow, 'userId' | 'priority' | 'documentId'>,
): Promise<number> {
  const count = documentId === null ? unfinishedOfConversations : unfinishedOfDocuments;
  const [row] = await count(db).execute({ userId, priority });
  return row?.count ?? 0;
}
