import { sql } from 'drizzle-orm';
import {
  bigint,
  bigserial,
  boolean,
  check,
  customType,
  date,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uuid,
  type AnyPgColumn,
} from 'drizzle-orm/pg-core';
import type { ContentBlock } from '../domain/content.js';
import type { Concurrency, MemberRole, Message } from '../domain/conversation.js';
import type { DocumentError, DocumentResult, DocumentStatus, StepStatus } from '../domain/document.js';
import type { DocumentPhase } from '../domain/document-phase.js';
import type {
  CancelReason,
  GenerationBudget,
  GenerationError,
  GenerationMetrics,
  GenerationOptions,
  GenerationStatus,
  Usage,
} from '../domain/generation.js';
import type { ProviderName } from '../domain/models.js';

/** Money in whole nano-dollars (10⁻⁹ USD); see docs/decisions/0004. */
const nano = (name: string) => bigint(name, { mode: 'number' });

const tsvector = customType<{ data: string }>({ dataType: () => 'tsvector' });

const time = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });

/** Everybody who ever had a session here, or wrote with a token of the host application. */
export const users = pgTable('users', {
  id: text().primaryKey(),
  name: text().notNull(),
  createdAt: time('created_at').notNull().defaultNow(),
});

export const conversations = pgTable(
  'conversations',
  {
    id: uuid().primaryKey(),
    title: text(),
    system: text(),
    model: text(),
    concurrency: text().$type<Concurrency>().notNull(),
    /** The document that its questions are about. */
    documentId: uuid('document_id').references((): AnyPgColumn => documents.id, { onDelete: 'set null' }),
    /** The next prompt's position. Taken under the row's lock; see docs/decisions/0002. */
    nextPosition: bigint('next_position', { mode: 'number' }).notNull().default(0),
    createdAt: time('created_at').notNull().defaultNow(),
    updatedAt: time('updated_at').notNull().defaultNow(),
  },
  (t) => [index('conversations_by_document').on(t.documentId)],
);

export const members = pgTable(
  'members',
  {
    conversationId: uuid('conversation_id')
      .notNull()
      .references(() => conversations.id, { onDelete: 'cascade' }),
    userId: text('user_id')
      .notNull()
      .references(() => users.id),
    role: text().$type<MemberRole>().notNull(),
    /** Position of the last message that this member has read. */
    readPosition: bigint('read_position', { mode: 'number' }).notNull().default(-1),
    joinedAt: time('joined_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.conversationId, t.userId] }), index('members_by_user').on(t.userId)],
);

/** Links that make whoever opens them a member. */
export const invites = pgTable(
  'invites',
  {
    /** SHA-256 of the token, which only the link holds. */
    tokenHash: text('token_hash').primaryKey(),
    conversationId: uuid('conversation_id')
      .notNull()
      .references(() => conversations.id, { onDelete: 'cascade' }),
    role: text().$type<Exclude<MemberRole, 'owner'>>().notNull(),
    createdBy: text('created_by')
      .notNull()
      .references(() => users.id),
    expiresAt: time('expires_at').notNull(),
  },
  (t) => [index('invites_by_conversation').on(t.conversationId)],
);

/** Where a message came from. Stored, never sent. */
export interface MessageOrigin {
  ip: string | null;
  userAgent: string | null;
  sessionId: string | null;
}

export const messages = pgTable(
  'messages',
  {
    id: uuid().primaryKey(),
    conversationId: uuid('conversation_id')
      .notNull()
      .references(() => conversations.id, { onDelete: 'cascade' }),
    role: text().$type<Message['role']>().notNull(),
    authorId: text('author_id').references(() => users.id),
    text: text().notNull(),
    content: jsonb().$type<ContentBlock[]>().notNull(),
    status: text().$type<Message['status']>().notNull(),
    generationId: uuid('generation_id'),
    clientId: text('client_id'),
    metadata: jsonb().$type<Record<string, unknown>>(),
    origin: jsonb().$type<MessageOrigin>(),
    /** Even: a prompt; its answers have the odd one that follows. */
    position: bigint({ mode: 'number' }).notNull(),
    createdAt: time('created_at').notNull().defaultNow(),
  },
  (t) => [index('messages_in_order').on(t.conversationId, t.position, t.id)],
);

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

/** Whose money it is. */
export type BudgetScope = 'user' | 'conversation';

const budgetSubject = {
  scope: text().$type<BudgetScope>().notNull(),
  /** The user's or the conversation's id. */
  subject: text().notNull(),
};

/** What is spent and held of each budget: the sums over its generations (B4 in docs/decisions/0004). */
export const budgets = pgTable(
  'budgets',
  {
    ...budgetSubject,
    /** A user's: the day (UTC) as `YYYY-MM-DD`; a conversation's: `all`. */
    period: text().notNull(),
    reservedNano: nano('reserved_nano').notNull().default(0),
    spentNano: nano('spent_nano').notNull().default(0),
  },
  (t) => [
    primaryKey({ columns: [t.scope, t.subject, t.period] }),
    check('budgets_period', sql`(scope = 'user') = (period <> 'all')`),
    check('budgets_amounts', sql`reserved_nano >= 0 and spent_nano >= 0`),
  ],
);

/** Limits that an operator has set, in the place of the setting's. */
export const budgetLimits = pgTable(
  'budget_limits',
  {
    ...budgetSubject,
    /** Null: no limit. */
    limitNano: nano('limit_nano'),
  },
  (t) => [primaryKey({ columns: [t.scope, t.subject] }), check('budget_limits_amount', sql`limit_nano >= 0`)],
);

/**
 * What each generation that was started has used and cost, written when it ends, for good: it outlives its
 * conversation or document.
 */
export const ledger = pgTable(
  'ledger',
  {
    generationId: uuid('generation_id').primaryKey(),
    userId: text('user_id')
      .notNull()
      .references(() => users.id),
    /** Of these one is there, until it is deleted. */
    conversationId: uuid('conversation_id').references(() => conversations.id, { onDelete: 'set null' }),
    documentId: uuid('document_id').references(() => documents.id, { onDelete: 'set null' }),
    /** The day (UTC) that its cost belongs to. */
    day: date({ mode: 'string' }).notNull(),
    model: text().notNull(),
    inputTokens: integer('input_tokens').notNull(),
    outputTokens: integer('output_tokens').notNull(),
    cacheReadInputTokens: integer('cache_read_input_tokens').notNull(),
    cacheCreationInputTokens: integer('cache_creation_input_tokens').notNull(),
    costNano: nano('cost_nano').notNull(),
    /** What the provider's cache has saved; negative: it has cost more than it saved. */
    cacheSavedNano: nano('cache_saved_nano').notNull(),
    /** Null: nothing came, or no model was asked. */
    firstTokenMs: integer('first_token_ms'),
  },
  (t) => [
    index('ledger_by_user').on(t.userId, t.day),
    index('ledger_by_conversation').on(t.conversationId),
    index('ledger_by_document').on(t.documentId),
    check('ledger_cost', sql`cost_nano >= 0`),
  ],
);

/** What a transaction has to tell the room log and the queue, until a relay has told it. */
export const outbox = pgTable(
  'outbox',
  {
    id: bigserial({ mode: 'number' }).primaryKey(),
    room: text().notNull(),
    kind: text().$type<'event' | 'job'>().notNull(),
    /** An event's type, or the job's queue. */
    type: text().notNull(),
    /** An event's payload as it is sent, without its cursor; or the job. JSON, kept to the letter. */
    data: text().notNull(),
    /** The generation that this event ends. */
    ends: uuid(),
    createdAt: time('created_at').notNull().defaultNow(),
  },
  (t) => [index('outbox_by_room').on(t.room, t.id)],
);

/** Answers to requests that carried an `Idempotency-Key`, kept for a day. */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    userId: text('user_id').notNull(),
    route: text().notNull(),
    key: text().notNull(),
    bodyHash: text('body_hash').notNull(),
    status: integer().notNull(),
    response: jsonb(),
    createdAt: time('created_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.userId, t.route, t.key] }),
    index('idempotency_keys_by_age').on(t.createdAt),
  ],
);
