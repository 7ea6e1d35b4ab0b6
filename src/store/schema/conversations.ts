import { bigint, index, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import type { ContentBlock } from '../../domain/content.js';
import type { Concurrency, MemberRole, Message } from '../../domain/conversation.js';
import { time } from './columns.js';
import { users } from './users.js';
import { documents } from './documents.js';

export const conversations = pgTable(
  'conversations',
  {
    id: uuid().primaryKey(),
    title: text(),
    system: text(),
    model: text(),
    concurrency: text().$type<Concurrency>().notNull(),
    /** The document that its questions are about. */
    documentId: uuid('document_id').references(() => documents.id, { onDelete: 'set null' }),
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

/** The chats of clients that name them themselves (docs/ai-sdk.md): each name of a user's stands for one conversation. */
export const chats = pgTable(
  'chats',
  {
    userId: text('user_id')
      .notNull()
      .references(() => users.id),
    /** The client's name for it. */
    chatId: text('chat_id').notNull(),
    conversationId: uuid('conversation_id')
      .notNull()
      .references(() => conversations.id, { onDelete: 'cascade' }),
  },
  (t) => [primaryKey({ columns: [t.userId, t.chatId] }), index('chats_by_conversation').on(t.conversationId)],
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
  (t) => [index('invites_by_conversation').on(t.conversationId), index('invites_by_expiry').on(t.expiresAt)],
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
    /**
     * How long the content is as text, so that a history can be sized without being read. A trigger sees to it, whichever
     * version of a process writes; null: written before there was one.
     */
    bytes: integer(),
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
