import { and, eq } from 'drizzle-orm';
import type { Executor, Transaction } from './database.js';
import { chats } from './schema/conversations.js';

type ChatRow = typeof chats.$inferSelect;

/** The conversation that a client's name stands for. */
export async function findChat(db: Executor, userId: string, chatId: string): Promise<string | undefined> {
  const [row] = await db
    .select({ conversationId: chats.conversationId })
    .from(chats)
    .where(and(eq(chats.userId, userId), eq(chats.chatId, chatId)));
  return row?.conversationId;
}

export async function insertChat(tx: Transaction, chat: ChatRow): Promise<void> {
  await tx.insert(chats).values(chat);
}
