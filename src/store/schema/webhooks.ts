import { sql } from 'drizzle-orm';
import { index, integer, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { time } from './columns.js';
import { conversations } from './conversations.js';
import { documents } from './documents.js';
import { users } from './users.js';

/** Where users want to be told of what has ended. */
export const webhooks = pgTable(
  'webhooks',
  {
    id: uuid().primaryKey(),
    userId: text('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    url: text().notNull(),
    /** As it is: what is sent is signed with it. */
    secret: text().notNull(),
    events: text().array().notNull(),
    description: text(),
    /** Null: it is sent what it wants to be told of. */
    disabledReason: text('disabled_reason').$type<'owner' | 'gone' | 'failing'>(),
    /** Of the first attempt that failed after the last one that did not. */
    failingSince: time('failing_since'),
    createdAt: time('created_at').notNull().defaultNow(),
  },
  (t) => [index('webhooks_by_user').on(t.userId, t.id)],
);

/** What is on its way to an endpoint, or was: kept for a few days. Gone with what it tells of. */
export const webhookDeliveries = pgTable(
  'webhook_deliveries',
  {
    /** Of its job, too. */
    id: uuid().primaryKey(),
    webhookId: uuid('webhook_id')
      .notNull()
      .references(() => webhooks.id, { onDelete: 'cascade' }),
    conversationId: uuid('conversation_id').references(() => conversations.id, { onDelete: 'cascade' }),
    documentId: uuid('document_id').references(() => documents.id, { onDelete: 'cascade' }),
    eventId: text('event_id').notNull(),
    type: text().notNull(),
    /** What is sent and signed, to the letter. */
    payload: text().notNull(),
    status: text().$type<'pending' | 'delivered' | 'failed'>().notNull().default('pending'),
    attempts: integer().notNull().default(0),
    nextAt: time('next_at').notNull().defaultNow(),
    statusCode: integer('status_code'),
    error: text(),
    createdAt: time('created_at').notNull().defaultNow(),
    endedAt: time('ended_at'),
  },
  (t) => [
    index('webhook_deliveries_by_webhook').on(t.webhookId, t.id),
    index('webhook_deliveries_by_conversation').on(t.conversationId),
    index('webhook_deliveries_by_document').on(t.documentId),
    index('webhook_deliveries_due')
      .on(t.nextAt)
      .where(sql`status = 'pending'`),
    index('webhook_deliveries_ended').on(t.endedAt),
  ],
);
