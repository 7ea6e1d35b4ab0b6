import { sql } from 'drizzle-orm';
import { bigint, index, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import type { DocumentError, DocumentResult, DocumentStatus, StepStatus } from '../../domain/document.js';
import type { DocumentPhase } from '../../domain/document-phase.js';
import type { GenerationOptions } from '../../domain/generation.js';
import type { ProviderName } from '../../domain/models.js';
import { time, tsvector } from './columns.js';
import { users } from './users.js';

export const documents = pgTable(
  'documents',
  {
    id: uuid().primaryKey(),
    userId: text('user_id')
      .notNull()
      .references(() => users.id),
    name: text().notNull(),
    mediaType: text('media_type').notNull(),
    bytes: bigint({ mode: 'number' }).notNull(),
    /** Of the file, in hexadecimal digits. */
    sha256: text().notNull(),
    model: text().notNull(),
    provider: text().$type<ProviderName>().notNull(),
    options: jsonb().$type<GenerationOptions>().notNull(),
    status: text().$type<DocumentStatus>().notNull(),
    /** Sections that may be queued or running together. */
    atOnce: integer('at_once').notNull(),
    error: jsonb().$type<DocumentError>(),
    /** Set: nothing more is queued, and it ends when nothing runs any more. */
    cancelRequestedAt: time('cancel_requested_at'),
    createdAt: time('created_at').notNull().defaultNow(),
    endedAt: time('ended_at'),
  },
  (t) => [
    index('documents_by_user').on(t.userId, t.createdAt),
    index('documents_active')
      .on(t.createdAt)
      .where(sql`status in ('queued', 'running')`),
  ],
);

/** The sections of a document and, behind them, its phases. They change under their document's lock alone. */
export const documentSteps = pgTable(
  'document_steps',
  {
    documentId: uuid('document_id')
      .notNull()
      .references(() => documents.id, { onDelete: 'cascade' }),
    /** Of a section: its index. */
    position: integer().notNull(),
    /** Null: a section. */
    phase: text().$type<DocumentPhase>(),
    title: text().notNull(),
    /** What is analysed; null of a phase. */
    source: text(),
    /** About how many the source has. */
    tokens: integer().notNull().default(0),
    status: text().$type<StepStatus>().notNull(),
    /** Runs that have failed since it was asked for. */
    tries: integer().notNull().default(0),
    /** Its run: the end of any other generation leaves the step alone. See docs/decisions/0005. */
    generationId: uuid('generation_id'),
    /** Of the text, over all its runs. */
    messageId: uuid('message_id').notNull(),
    /** What was written, as far as it came. */
    text: text().notNull().default(''),
    /** Of a phase that is done: what was validated, under the phase's name. */
    value: jsonb().$type<Partial<DocumentResult>>(),
    error: jsonb().$type<DocumentError>(),
    startedAt: time('started_at'),
    durationMs: integer('duration_ms'),
    /** Of no language: a document may be of any. Cut, since Postgres holds no vector of more than a megabyte. */
    search: tsvector().generatedAlwaysAs(
      sql`to_tsvector('simple', title || ' ' || left(coalesce(source, ''), 200000))`,
    ),
  },
  (t) => [primaryKey({ columns: [t.documentId, t.position] })],
);

/** The files in the storage. One without a document is an upload under way, or left over. */
export const documentFiles = pgTable(
  'document_files',
  {
    key: text().primaryKey(),
    documentId: uuid('document_id').references(() => documents.id, { onDelete: 'set null' }),
    createdAt: time('created_at').notNull().defaultNow(),
  },
  (t) => [index('document_files_by_document').on(t.documentId)],
);
