import { and, desc, eq, gt, inArray, lte, ne, or, sql, type Placeholder, type SQL } from 'drizzle-orm';
import { hasContent, textOf, type ContentBlock } from '../domain/content.js';
import type { Message } from '../domain/conversation.js';
import type { Executor, Transaction } from './database.js';
import { prepared } from './prepared.js';
import { messages } from './schema/conversations.js';
import { users } from './schema/users.js';

export type NewMessage = Omit<typeof messages.$inferInsert, 'text' | 'bytes'>;

function selectMessages(db: Executor, where: SQL | undefined) {
  return db
    .select({
      id: messages.id,
      conversationId: messages.conversationId,
      role: messages.role,
      authorId: messages.authorId,
      authorName: users.name,
      text: messages.text,
      content: messages.content,
      status: messages.status,
      generationId: messages.generationId,
      clientId: messages.clientId,
      metadata: messages.metadata,
      position: messages.position,
      createdAt: messages.createdAt,
    })
    .from(messages)
    .leftJoin(users, eq(users.id, messages.authorId))
    .where(where);
}

export function toMessage({
  authorId,
  authorName,
  createdAt,
  ...row
}: Awaited<ReturnType<typeof selectMessages>>[number]): Message {
  return Object.assign(row, {
    author: authorId === null ? null : { id: authorId, name: authorName ?? authorId },
    createdAt: createdAt.toISOString(),
  });
}

/** Stores messages; their text is derived from their content. */
export async function insertMessages(tx: Transaction, rows: NewMessage[]): Promise<void> {
  if (rows.length > 0)
    await tx.insert(messages).values(rows.map((row) => ({ ...row, text: textOf(row.content) })));
}

const byId = prepared((db) => selectMessages(db, eq(messages.id, sql.placeholder('id'))).prepare('message'));

export async function findMessage(db: Executor, id: string): Promise<Message | undefined> {
  const [row] = await byId(db).execute({ id });
  return row && toMessage(row);
}

/** What a user wrote under an id of the client's or of ours, the latest should ids come again. */
export async function findMessageByClientId(
  db: Executor,
  conversationId: string,
  userId: string,
  id: string,
): Promise<Message | undefined> {
  const [row] = await selectMessages(
    db,
    and(
      eq(messages.conversationId, conversationId),
      eq(messages.authorId, userId),
      or(eq(messages.clientId, id), sql`${messages.id}::text = ${id}`),
    ),
  )
    .orderBy(desc(messages.position))
    .limit(1);
  return row && toMessage(row);
}

interface MessagePage {
  limit: number;
  before?: string | undefined;
  /** Messages of these generations are left out: they are live. */
  withoutGenerations?: readonly string[];
}

const page = (isFirst: boolean) =>
  prepared((db) =>
    selectMessages(
      db,
      and(
        eq(messages.conversationId, sql.placeholder('conversationId')),
        sql`(${messages.generationId} is null or ${messages.generationId} <> all(${sql.placeholder('withoutGenerations')}::uuid[]))`,
        isFirst
          ? undefined
          : sql`(${messages.position}, ${messages.id}) < (select m.position, m.id from messages m where m.id = ${sql.placeholder('before')} and m.conversation_id = ${sql.placeholder('conversationId')})`,
      ),
    )
      .orderBy(desc(messages.position), desc(messages.id))
      .limit(sql.placeholder('limit'))
      .prepare(isFirst ? 'newest_messages' : 'messages_before'),
  );
const newestPage = page(true);
const pageBefore = page(false);

/** The newest page in the order of turns, the newest last; one more than `limit` (at the front) when there are more. */
export async function listMessages(
  db: Executor,
  conversationId: string,
  { limit, before, withoutGenerations = [] }: MessagePage,
): Promise<Message[]> {
  const asked = { conversationId, limit: limit + 1, before, withoutGenerations };
  const rows = await (before ? pageBefore : newestPage)(db).execute(asked);
  return rows.reverse().map(toMessage);
}

async function listInOrder(db: Executor, where: SQL | undefined): Promise<Message[]> {
  const rows = await selectMessages(db, where).orderBy(messages.position, messages.id);
  return rows.map(toMessage);
}

const isHistory = (conversationId: string | Placeholder, upToPosition: number | Placeholder) =>
  and(
    eq(messages.conversationId, conversationId),
    lte(messages.position, upToPosition),
    ne(messages.status, 'streaming'),
  );

/** What the model may see: the messages up to a prompt that are not being written. */
export async function listHistory(
  db: Executor,
  conversationId: string,
  upToPosition: number,
): Promise<Message[]> {
  return listInOrder(db, isHistory(conversationId, upToPosition));
}

/** About how many bytes the name of an author takes. */
const nameBytes = 24;

/** What {@link sizeOfHistory} asks; the placeholders are `conversationId` and `upToPosition`. */
export const historySize = (db: Executor) =>
  db
    .select({
      bytes: sql<number>`coalesce(sum(coalesce(${messages.bytes}, octet_length(${messages.content}::text)) + ${sql.raw(String(nameBytes))}), 0)::float8`,
    })
    .from(messages)
    .where(isHistory(sql.placeholder('conversationId'), sql.placeholder('upToPosition')));

const size = prepared((db) => historySize(db).prepare('size_of_history'));

/** About how many bytes {@link listHistory} would bring as JSON, with the name of an author before each message. */
export async function sizeOfHistory(
  db: Executor,
  conversationId: string,
  upToPosition: number,
): Promise<number> {
  const [row] = await size(db).execute({ conversationId, upToPosition });
  return row?.bytes ?? 0;
}

/** What a message adds to {@link sizeOfHistory}, or a little more: Postgres puts fewer spaces between. */
export const sizeInHistory = (content: readonly ContentBlock[]): number =>
  Buffer.byteLength(JSON.stringify(content, null, 1)) + nameBytes;

/** The generation whose answer holds a call of a tool with this id, the latest should ids come again. */
export async function findCaller(
  db: Executor,
  conversationId: string,
  callId: string,
): Promise<string | undefined> {
  const call = JSON.stringify([{ type: 'tool_use', id: callId }]);
  const [row] = await db
    .select({ generationId: messages.generationId })
    .from(messages)
    .where(
      and(
        eq(messages.conversationId, conversationId),
        eq(messages.role, 'assistant'),
        sql`${messages.content} @> ${call}::jsonb`,
      ),
    )
    .orderBy(desc(messages.position), desc(messages.id))
    .limit(1);
  return row?.generationId ?? undefined;
}

/** Changes what somebody wrote. */
export async function editMessage(tx: Transaction, id: string, content: ContentBlock[]): Promise<void> {
  await tx
    .update(messages)
    .set({ content, text: textOf(content) })
    .where(eq(messages.id, id));
}

/** What follows a position, in order. */
export async function listMessagesAfter(
  tx: Transaction,
  conversationId: string,
  position: number,
): Promise<Message[]> {
  return listInOrder(tx, and(eq(messages.conversationId, conversationId), gt(messages.position, position)));
}

/** The messages at a position: a prompt, or its answers, the newest last. */
export async function listMessagesAt(
  tx: Transaction,
  conversationId: string,
  position: number,
): Promise<Message[]> {
  return listInOrder(tx, and(eq(messages.conversationId, conversationId), eq(messages.position, position)));
}

/** Stores what was written of an answer; with nothing written the message goes. Answers the message, if it stays. */
export async function finishMessage(
  tx: Transaction,
  id: string,
  content: ContentBlock[],
  status: 'complete' | 'partial',
): Promise<Message | null> {
  if (!hasContent(content)) {
    await deleteMessages(tx, [id]);
    return null;
  }
  await tx
    .update(messages)
    .set({ content, text: textOf(content), status })
    .where(eq(messages.id, id));
  return (await findMessage(tx, id)) ?? null;
}

export async function deleteMessages(tx: Transaction, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await tx.delete(messages).where(inArray(messages.id, [...ids]));
}

export async function deleteAllMessages(tx: Transaction, conversationId: string): Promise<void> {
  await tx.delete(messages).where(eq(messages.conversationId, conversationId));
}
