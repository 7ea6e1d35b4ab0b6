import { and, desc, eq, sql, type SQL } from 'drizzle-orm';
import type { Conversation, ConversationView, MemberRole } from '../domain/conversation.js';
import type { Executor, Transaction } from './database.js';
import { prepared } from './prepared.js';
import { conversations, members, messages } from './schema/conversations.js';
import { generations } from './schema/generations.js';
import type { Write } from './write-together.js';

export type ConversationRow = typeof conversations.$inferSelect;
type ConversationSettings = Partial<Pick<ConversationRow, 'title' | 'system' | 'model' | 'concurrency'>>;

const running = sql<number>`(
  select count(*)::int from ${generations}
  where ${generations.conversationId} = ${conversations.id} and ${generations.status} in ('waiting', 'queued', 'running')
)`;

const unread = sql<number>`(
  select count(*)::int from ${messages}
  where ${messages.conversationId} = ${conversations.id} and ${messages.position} > ${members.readPosition}
    and ${messages.authorId} is distinct from ${members.userId}
)`;

const columns = {
  id: conversations.id,
  title: conversations.title,
  system: conversations.system,
  model: conversations.model,
  concurrency: conversations.concurrency,
  documentId: conversations.documentId,
  running,
  createdAt: conversations.createdAt,
  updatedAt: conversations.updatedAt,
};

/** A row as it is sent: times as text, and its document only where it is about one. */
function toWire<T extends { createdAt: Date; updatedAt: Date; documentId: string | null }>(row: T) {
  const { createdAt, updatedAt, documentId, ...rest } = row;
  return {
    ...rest,
    ...(documentId !== null && { documentId }),
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}

/** Makes a conversation with its owner as first member. */
export async function insertConversation(
  tx: Transaction,
  conversation: ConversationSettings &
    Pick<ConversationRow, 'id' | 'concurrency' | 'nextPosition'> & { documentId?: string | null | undefined },
  ownerId: string,
): Promise<void> {
  await tx.insert(conversations).values(conversation);
  await tx.insert(members).values({ conversationId: conversation.id, userId: ownerId, role: 'owner' });
}

/** What everybody in the room sees of a conversation. */
export async function findConversation(db: Executor, id: string): Promise<Conversation | undefined> {
  const [row] = await db.select(columns).from(conversations).where(eq(conversations.id, id));
  return row && toWire(row);
}

function selectViews(db: Executor, where: SQL | undefined) {
  return db
    .select({ ...columns, role: members.role, unread })
    .from(conversations)
    .innerJoin(members, eq(members.conversationId, conversations.id))
    .where(where);
}

function toView({ role, unread, ...row }: Awaited<ReturnType<typeof selectViews>>[number]): ConversationView {
  return Object.assign(toWire(row), { role, unread });
}

const view = prepared((db) =>
  selectViews(
    db,
    and(eq(conversations.id, sql.placeholder('id')), eq(members.userId, sql.placeholder('userId'))),
  ).prepare('conversation_view'),
);

/** A conversation as this member sees it; undefined: there is none, or the user is no member. */
export async function findConversationView(
  db: Executor,
  id: string,
  userId: string,
): Promise<ConversationView | undefined> {
  const [row] = await view(db).execute({ id, userId });
  return row && toView(row);
}

/**
 * Those that the user is a member of, the last changed first; one more than `limit` when there are more. `search`: only
 * those with this in their title or in the text of a message, in upper or lower case.
 */
export async function listConversationViews(
  db: Executor,
  userId: string,
  { limit, before, search }: { limit: number; before?: string | undefined; search?: string | undefined },
): Promise<ConversationView[]> {
  const cursor = before
    ? sql`(${conversations.updatedAt}, ${conversations.id}) < (select c.updated_at, c.id from conversations c where c.id = ${before})`
    : undefined;
  const rows = await selectViews(db, and(eq(members.userId, userId), cursor, contains(search)))
    .orderBy(desc(conversations.updatedAt), desc(conversations.id))
    .limit(limit + 1);
  return rows.map(toView);
}

function contains(search: string | undefined): SQL | undefined {
  if (!search) return undefined;
  const pattern = `%${search.replace(/[\\%_]/g, '\\$&')}%`;
  // OFFSET has Postgres look at one conversation after the other, by the index, and never at all messages there are.
  return sql`(${conversations.title} ilike ${pattern} or exists (
    select 1 from ${messages} where ${messages.conversationId} = ${conversations.id} and ${messages.text} ilike ${pattern}
    offset 0
  ))`;
}

/**
 * What is remembered of a conversation for as long as somebody watches it: without what changes at every question, and
 * without its prompt, which may be long.
 */
export type LastingConversation = Omit<Conversation, 'running' | 'system'>;

/** Somebody who may be a member. */
export interface Membership {
  conversationId: string;
  userId: string;
}

/** Of each, in their order: the user's role, and the conversation; undefined: no member. */
export async function findMemberships(
  db: Executor,
  asked: readonly Membership[],
): Promise<({ role: MemberRole; conversation: LastingConversation } | undefined)[]> {
  const { id, title, model, concurrency, documentId, createdAt, updatedAt } = columns;
  const rows = await db
    .select({
      userId: members.userId,
      role: members.role,
      conversation: { id, title, model, concurrency, documentId, createdAt, updatedAt },
    })
    .from(members)
    .innerJoin(conversations, eq(conversations.id, members.conversationId))
    .where(
      sql`(${members.conversationId}, ${members.userId}) in (
        select * from unnest(
          ${sql.param(asked.map(({ conversationId }) => conversationId))}::uuid[],
          ${sql.param(asked.map(({ userId }) => userId))}::text[]
        ))`,
    );
  const found = new Map(
    rows.map(({ userId, role, conversation }) => [
      `${conversation.id} ${userId}`,
      { role, conversation: toWire(conversation) },
    ]),
  );
  return asked.map(({ conversationId, userId }) => found.get(`${conversationId} ${userId}`));
}

const lock = prepared((db) =>
  db
    .select()
    .from(conversations)
    .where(eq(conversations.id, sql.placeholder('id')))
    .for('no key update')
    .prepare('lock_conversation'),
);

/**
 * Locks the conversation against everything else that writes its outbox: the first lock of every such transaction
 * (then generations by id, then budgets).
 */
export async function lockConversation(tx: Transaction, id: string): Promise<ConversationRow | undefined> {
  const [row] = await lock(tx).execute({ id });
  return row;
}

export async function updateConversation(
  tx: Transaction,
  id: string,
  changes: ConversationSettings,
): Promise<void> {
  await tx
    .update(conversations)
    .set({ ...changes, updatedAt: sql`now()` })
    .where(eq(conversations.id, id));
}

/** Has the conversations about a document be about none; they are locked, in the order of their ids. */
export async function detachDocument(tx: Transaction, documentId: string): Promise<void> {
  const about = eq(conversations.documentId, documentId);
  await tx
    .select({ id: conversations.id })
    .from(conversations)
    .where(about)
    .orderBy(conversations.id)
    .for('no key update');
  await tx.update(conversations).set({ documentId: null }).where(about);
}

/** Takes the positions before this one. The conversation is locked. */
export const positionsWrite = (id: string, nextPosition: number): Write => ({
  kind: 'positions',
  build: (db, value) =>
    db
      .update(conversations)
      .set({ nextPosition: sql`${value('nextPosition')}`, updatedAt: sql`now()` })
      .where(eq(conversations.id, value('id'))),
  values: { id, nextPosition },
});

/** Deletes it with all that belongs to it. */
export async function deleteConversation(tx: Transaction, id: string): Promise<void> {
  await tx.delete(conversations).where(eq(conversations.id, id));
}
