import { eq, sql } from 'drizzle-orm';
import { textOf } from '../domain/content.js';
import type { Message, User } from '../domain/conversation.js';
import { toMessage, type NewMessage } from './messages.js';
import { messages } from './schema/conversations.js';
import type { Write } from './write-together.js';

/** What a user has written. */
export type Prompt = Pick<NewMessage, 'id' | 'conversationId' | 'content' | 'position' | 'origin'> &
  Pick<Message, 'clientId' | 'metadata'> & { author: User; createdAt: Date };

/** A prompt as {@link findMessage} answers it once it is stored. */
export const messageOf = (prompt: Prompt): Message =>
  toMessage({
    id: prompt.id,
    conversationId: prompt.conversationId,
    role: 'user',
    authorId: prompt.author.id,
    authorName: prompt.author.name,
    text: textOf(prompt.content),
    content: prompt.content,
    status: 'complete',
    generationId: null,
    clientId: prompt.clientId,
    metadata: prompt.metadata,
    position: prompt.position,
    createdAt: prompt.createdAt,
  });

/** Stores it. */
export const promptWrite = ({ author, ...sent }: Prompt): Write => ({
  kind: 'prompt',
  build: (db, value) =>
    db.insert(messages).values({
      id: value('id'),
      conversationId: value('conversationId'),
      role: 'user',
      authorId: value('authorId'),
      text: value('text'),
      content: value('content'),
      status: 'complete',
      clientId: value('clientId'),
      // By the driver: drizzle's encoder would make JSON's null of none.
      metadata: sql`${value('metadata')}`,
      origin: sql`${value('origin')}`,
      position: value('position'),
      createdAt: sql`${value('createdAt')}`,
    }),
  values: { text: textOf(sent.content), authorId: author.id, ...sent },
});

/** Stores the message that an answer will be written into. */
export const answerWrite = (values: {
  id: string;
  conversationId: string;
  generationId: string;
  position: number;
}): Write => ({
  kind: 'answer',
  build: (db, value) =>
    db.insert(messages).values({
      id: value('id'),
      conversationId: value('conversationId'),
      generationId: value('generationId'),
      position: value('position'),
      role: 'assistant',
      status: 'streaming',
      content: [],
      text: '',
    }),
  values,
});

/** Has a partial answer written on, by this generation. */
export const reopenedAnswerWrite = (id: string, generationId: string): Write => ({
  kind: 'reopened answer',
  build: (db, value) =>
    db
      .update(messages)
      .set({ status: 'streaming', generationId: sql`${value('generationId')}` })
      .where(eq(messages.id, value('id'))),
  values: { id, generationId },
});
