import { sql } from 'drizzle-orm';
import {
  bigint,
  bigserial,
  boolean,
  check,
  date,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  text,
  uuid,
} from 'drizzle-orm/pg-core';
import type { ContentBlock } from '../../domain/content.js';
import type { DocumentPhase } from '../../domain/document-phase.js';
import type {
  CancelReason,
  GenerationBudget,
  GenerationError,
  GenerationMetrics,
  GenerationOptions,
  GenerationStatus,
  Usage,
} from '../../domain/generation.js';
import type { ProviderName } from '../../domain/models.js';
import { nano, time } from './columns.js';
import { users } from './users.js';
import { documents } from './documents.js';
import { conversations } from './conversations.js';

/** Runs of a model: each belongs to a conversation or to a document. */
export const generations = pgTable(
  'generations',
  {
    id: uuid().primaryKey(),
    conversationId: uuid('conversation_id').references(() => conversations.id, { onDelete: 'cascade' }),
    documentId: uuid('document_id').references(() => documents.id, { onDelete: 'cascade' }),
    sectionIndex: integer('section_index'),
    phase: text().$type<DocumentPhase>(),
    userId: text('user_id')
      .notNull()
      .references(() => users.id),
    /** The order of acceptance within a conversation: taken under its lock. */
    sequence: bigserial({ mode: 'number' }),
    status: text().$type<GenerationStatus>().notNull(),
    attempt: integer().notNull().default(0),
    /** How many workers died while they ran it. */
    lostWorkers: integer('lost_workers').notNull().default(0),
    model: text().notNull(),
    provider: text().$type<ProviderName>().notNull(),
    options: jsonb().$type<GenerationOptions>().notNull(),
    /** Prompt and position are those of a conversation. */
    promptId: uuid('prompt_id'),
    messageId: uuid('message_id').notNull(),
    position: bigint({ mode: 'number' }),
    content: jsonb().$type<ContentBlock[]>().notNull().default([]),
    stopReason: text('stop_reason'),
    stopSequence: text('stop_sequence'),
    /** The sum of all attempts, also while it runs on in a later one. */
    usage: jsonb().$type<Usage>(),
    costUsd: doublePrecision('cost_usd'),
    /** The day (UTC) of its user's budget: that of its acceptance. */
    budgetDay: date('budget_day', { mode: 'string' })
      .notNull()
      .default(sql`(now() at time zone 'utc')::date`),
    /** What is held of its budgets for the call that is under way or comes next. */
    reservedNano: nano('reserved_nano').notNull().default(0),
    /** What of its cost its budgets have as spent already. */
    spentNano: nano('spent_nano').notNull().default(0),
    /** The part of that which nobody knows to be used: calls of workers that died, with all that told of them. */
    lostNano: nano('lost_nano').notNull().default(0),
    /** The `maxTokens` that were asked for, where the budget had less. */
    askedMaxTokens: integer('asked_max_tokens'),
    /** How its budget stood when it ended. */
    budget: jsonb().$type<GenerationBudget>(),
    metrics: jsonb().$type<GenerationMetrics>(),
    requestId: text('request_id'),
    providerMessageId: text('provider_message_id'),
    rateLimits: jsonb('rate_limits').$type<Record<string, string>>(),
    streamed: boolean(),
    cached: boolean().notNull().default(false),
    error: jsonb().$type<GenerationError>(),
    cancelRequestedAt: time('cancel_requested_at'),
    cancelReason: text('cancel_reason').$type<CancelReason>(),
    /** The answer that this one takes the place of once it has ended with text. */
    replacesMessageId: uuid('replaces_message_id'),
    /** W3C trace context of the request that it was accepted by, for whoever gives it to the workers. */
    traceparent: text(),
    priority: integer().notNull(),
    createdAt: time('created_at').notNull().defaultNow(),
    queuedAt: time('queued_at'),
    startedAt: time('started_at'),
    endedAt: time('ended_at'),
  },
  (t) => [
    index('generations_active_by_conversation')
      .on(t.conversationId, t.sequence)
      .where(sql`status in ('waiting', 'queued', 'running')`),
    index('generations_active_by_user')
      .on(t.userId, t.priority)
      .where(sql`status in ('waiting', 'queued', 'running')`),
    index('generations_active_by_status')
      .on(t.status, t.createdAt)
      .where(sql`status in ('waiting', 'queued', 'running')`),
    index('generations_by_conversation').on(t.conversationId),
    index('generations_by_document').on(t.documentId),
    check(
      'generations_of_one_place',
      sql`(conversation_id is null) <> (document_id is null) and (document_id is not null or
        (prompt_id is not null and position is not null))`,
    ),
    index('generations_by_user').on(t.userId, t.endedAt),
    index('generations_by_prompt').on(t.promptId),
    // B3 in docs/decisions/0004: what has ended holds nothing.
    check(
      'generations_reserved',
      sql`reserved_nano = 0 or (reserved_nano > 0 and status in ('waiting', 'queued', 'running'))`,
    ),
    check('generations_spent', sql`spent_nano >= 0 and lost_nano >= 0`),
  ],
);
