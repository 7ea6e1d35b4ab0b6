import { sql } from 'drizzle-orm';
import { check, date, index, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { nano } from './columns.js';
import { users } from './users.js';
import { documents } from './documents.js';
import { conversations } from './conversations.js';

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
