import type { ContentBlock } from '../domain/content.js';
import type { Conversation, ConversationView, Message, User } from '../domain/conversation.js';
import { noSuch } from '../domain/errors.js';
import { conversationBudget, deleteBudget } from '../store/budgets.js';
import {
  deleteConversation as deleteRow,
  findConversation,
  findConversationView,
  insertConversation,
  updateConversation as updateRow,
} from '../store/conversations.js';
import type { Executor } from '../store/database.js';
import { findDocumentOf } from '../store/documents.js';
import { deleteAllMessages, insertMessages } from '../store/messages.js';
import type { CreateConversationBody } from '../wire/http.js';
import { conversationRoom } from '../wire/room.js';
import { lockWithRight } from './access.js';
import { uuidv7 } from './ids.js';
import { dropGenerations } from './rewrite.js';
import { toBlocks } from './send-message.js';
import type { ServiceContext } from './service-context.js';
import type { Work } from './work.js';

type NewConversation = Omit<CreateConversationBody, 'messages'> & {
  /** A history to begin with. */
  messages?: readonly { role: Message['role']; content: string | ContentBlock[] }[] | undefined;
};

/**
 * Makes a conversation, with the history that the caller brings.
 *
 * @throws AppError unsupported_model, not_found (the document)
 */
export async function createConversation(
  { models }: ServiceContext,
  { tx }: Work,
  owner: User,
  { title, system, model, concurrency = 'queue', messages = [], documentId }: NewConversation,
): Promise<ConversationView> {
  if (model) models.resolve(model);
  if (documentId && !(await findDocumentOf(tx, documentId, owner.id))) throw noSuch('document');
  const id = uuidv7();
  // Prompts have even positions, answers odd ones: each message takes the next of its kind.
  let nextPosition = 0;
  const history = messages.map(({ role, content }) => {
    const parity = role === 'user' ? 0 : 1;
    const position = nextPosition + (nextPosition % 2 === parity ? 0 : 1);
    nextPosition = position + 1;
    return { role, content, position };
  });
  await insertConversation(
    tx,
    { id, title, system, model, concurrency, documentId, nextPosition: nextPosition + (nextPosition % 2) },
    owner.id,
  );
  await insertMessages(
    tx,
    history.map(({ role, content, position }) => ({
      id: uuidv7(),
      conversationId: id,
      role,
      authorId: role === 'user' ? owner.id : null,
      content: toBlocks(content),
      status: 'complete' as const,
      position,
    })),
  );
  return requireView(tx, id, owner.id);
}

/** Changes settings; they count for later messages. @throws AppError not_found, forbidden, unsupported_model */
export async function updateConversation(
  { models }: ServiceContext,
  work: Work,
  id: string,
  userId: string,
  changes: Partial<Pick<CreateConversationBody, 'title' | 'system' | 'model' | 'concurrency'>>,
): Promise<ConversationView> {
  await lockWithRight(work.tx, id, userId, 'write');
  if (changes.model) models.resolve(changes.model);
  await updateRow(work.tx, id, changes);
  work.tell(conversationRoom(id), 'conversation.updated', { conversation: await requireShared(work.tx, id) });
  return requireView(work.tx, id, userId);
}

/** Deletes a conversation with all that belongs to it; what runs in it is stopped. */
export async function deleteConversation(
  context: ServiceContext,
  work: Work,
  id: string,
  userId: string,
): Promise<void> {
  await lockWithRight(work.tx, id, userId, 'own');
  await dropGenerations(context, work, id);
  const conversation = await requireShared(work.tx, id);
  await deleteRow(work.tx, id);
  await deleteBudget(work.tx, conversationBudget(id));
  work.tell(conversationRoom(id), 'conversation.deleted', { conversation });
}

/** Clears the history; running generations end as cancelled, and nothing of them is stored. */
export async function clearMessages(
  context: ServiceContext,
  work: Work,
  id: string,
  userId: string,
): Promise<void> {
  await lockWithRight(work.tx, id, userId, 'own');
  await dropGenerations(context, work, id);
  await deleteAllMessages(work.tx, id);
  await updateRow(work.tx, id, {});
  work.tell(conversationRoom(id), 'messages.cleared', { conversation: await requireShared(work.tx, id) });
}

async function requireShared(db: Executor, id: string): Promise<Conversation> {
  const conversation = await findConversation(db, id);
  if (!conversation) throw noSuch('conversation');
  return conversation;
}

async function requireView(db: Executor, id: string, userId: string): Promise<ConversationView> {
  const view = await findConversationView(db, id, userId);
  if (!view) throw noSuch('conversation');
  return view;
}
