import { sql } from 'drizzle-orm';
import { textOf } from '../domain/content.js';
import type { Message, User } from '../domain/conversation.js';
import type { Transaction } from './database.js';
import { toMessage, type NewMessage } from './messages.js';
import { prepared } from './prepared.js';
import { messages } from './schema/conversations.js';

const prompt = prepared((db) =>
  db
    .insert(messages)
    .values({
      id: sql.placeholder('id'),
      conversationId: sql.placeholder('conversationId'),
      role: sql.placeholder('role'),
      authorId: sql.placeholder('authorId'),
      text: sql.placeholder('text'),
      content: sql.placeholder('content'),
      status: sql.placeholder('status'),
      clientId: sql.placeholder('clientId'),
      // By the driver: drizzle's encoder would make JSON's null of none.
      metadata: sql`${sql.placeholder('metadata')}`,
      origin: sql`${sql.placeholder('origin')}`,
      position: sql.placeholder('position'),
    })
    .returning({ createdAt: messages.createdAt })
    .prepare('insert_prompt'),
);

/** Stores what a user wrote; answers it as {@link findMessage} would. */
export async function insertPrompt(
  tx: Transaction,
  row: Pick<NewMessage, 'id' | 'conversationId' | 'content' | 'position' | 'origin'> &
    Pick<Message, 'clientId' | 'metadata'>,
  author: User,
): Promise<Message> {
  const { origin, ...sent } = row;
  const stored = { ...sent, role: 'user', text: textOf(row.content), status: 'complete' } as const;
  const [inserted] = await prompt(tx).execute({ ...stored, origin, authorId: author.id });
  if (!inserted) throw new Error('insert returned no row');
  const { createdAt } = inserted;
  return toMessage({
    ...stored,
    createdAt,
    generationId: null,
    authorId: author.id,
    authorName: author.name,
  });
}

const answer = prepared((db) =>
  db
    .insert(messages)
    .values({
      id: sql.placeholder('id'),
      conversationId: sql.placeholder('conversationId'),
      generationId: sql.placeholder('generationId'),
      position: sql.placeholder('position'),
      role: 'assistant',
      status: 'streaming',
      content: [],
      text: '',
    })
    .prepare('insert_answer'),
);

/** The message that an answer will be written into. */
export async function insertAnswer(
  tx: Transaction,
  row: { id: string; conversationId: string; generationId: string; position: number },
): Promise<void> {
  await answer(tx).execute(row);
}
