import { textOf } from '../domain/content.js';
import type { Message } from '../domain/conversation.js';
import { AppError, noSuch } from '../domain/errors.js';
import { hasEnded, type Generation, type GenerationOptions } from '../domain/generation.js';
import type { ConversationRow } from '../store/conversations.js';
import { findDocument } from '../store/documents.js';
import {
  findGeneration,
  isOfConversation,
  listActiveGenerations,
  toGeneration,
  type ConversationGeneration,
  type GenerationRow,
} from '../store/generations.js';
import {
  deleteMessages,
  editMessage as storeEdit,
  findMessage,
  listMessagesAfter,
  listMessagesAt,
} from '../store/messages.js';
import type { MessageBody } from '../wire/http.js';
import { conversationRoom, isUuid } from '../wire/room.js';
import { lockWithRight, type Right } from './access.js';
import { lockBudgetsOf } from './budget.js';
import { writtenSoFar } from './cancel.js';
import { finish } from './finish.js';
import { lockBudgetsAround } from './reserve.js';
import { acceptGeneration, modelOf, planGeneration } from './accept-generation.js';
import { toBlocks } from './send-message.js';
import type { ServiceContext } from './service-context.js';
import type { Work } from './work.js';

/** What people do to what has been said: edit, delete, have it answered anew, have an answer continued. */

interface Edit {
  messageId: string;
  userId: string;
  content: MessageBody['content'];
  /** Drops what follows and answers anew. */
  regenerate: false | GenerationOptions;
}

/**
 * Changes what the caller wrote. @throws AppError not_found, forbidden (of somebody else; or what would be dropped holds
 * what others wrote and the caller is not the owner), and what accepting a generation throws
 */
export async function editMessage(
  context: ServiceContext,
  work: Work,
  { messageId, userId, content, regenerate }: Edit,
): Promise<{ message: Message; generation: Generation | null }> {
  const { tx } = work;
  const { message, conversation } = await lockMessage(work, messageId, userId, 'write');
  if (message.author?.id !== userId) throw new AppError('forbidden', 'Only its author may edit a message.');
  if (regenerate) {
    await lockBudgetsAround(work, {
      conversation,
      userId,
      model: modelOf(context, conversation, regenerate),
    });
    await dropAfter(context, work, conversation, message, userId);
  }
  await storeEdit(tx, messageId, toBlocks(content));
  const edited = await requireMessage(work, messageId);
  work.tell(conversationRoom(conversation.id), 'message.updated', { message: edited });
  if (!regenerate) return { message: edited, generation: null };
  const plan = await planGeneration(context, work, conversation, userId, regenerate);
  const place = { userId, promptId: messageId, position: message.position + 1 };
  return { message: edited, generation: toGeneration(await acceptGeneration(context, work, plan, place)) };
}

/** Deletes a message; what still answers it, or writes it, is stopped. @throws AppError not_found, forbidden */
export async function deleteMessage(
  context: ServiceContext,
  work: Work,
  messageId: string,
  userId: string,
): Promise<void> {
  const { message, conversation } = await lockMessage(work, messageId, userId, 'write');
  const asked = message.generationId ? await findGeneration(work.tx, message.generationId) : undefined;
  const isAuthor = (message.author?.id ?? asked?.userId) === userId;
  if (!isAuthor) await lockWithRight(work.tx, conversation.id, userId, 'own');
  await dropGenerations(
    context,
    work,
    conversation.id,
    (row) => row.messageId === messageId || row.promptId === messageId,
  );
  await deleteMessages(work.tx, [messageId]);
  work.tell(conversationRoom(conversation.id), 'message.deleted', { message });
}

/** Has a message, or the prompt of an answer, answered anew; the old answer stays until the new one ends with text. */
export async function regenerate(
  context: ServiceContext,
  work: Work,
  messageId: string,
  userId: string,
  options: GenerationOptions,
): Promise<Generation> {
  const { message, conversation } = await lockMessage(work, messageId, userId, 'write');
  const position = message.role === 'user' ? message.position : message.position - 1;
  const [prompt] = await listMessagesAt(work.tx, conversation.id, position);
  if (!prompt) throw new AppError('not_found', 'What it answers is no longer there.');
  const answers = await listMessagesAt(work.tx, conversation.id, position + 1);
  const replaced = message.role === 'assistant' ? message : answers.at(-1);
  const plan = await planGeneration(context, work, conversation, userId, options);
  const row = await acceptGeneration(context, work, plan, {
    userId,
    promptId: prompt.id,
    position: position + 1,
    replacesMessageId: replaced?.id,
  });
  return toGeneration(row);
}

/**
 * Goes on with a partial answer, in its message.
 *
 * @throws AppError not_found, forbidden, nothing_to_continue, and what accepting a generation throws
 */
export async function continueGeneration(
  context: ServiceContext,
  work: Work,
  generationId: string,
  userId: string,
): Promise<Generation> {
  const found = isUuid(generationId) ? await findGeneration(work.tx, generationId) : undefined;
  if (!found) throw noSuch('generation');
  if (!isOfConversation(found)) {
    if ((await findDocument(work.tx, found.documentId ?? ''))?.userId !== userId) throw noSuch('generation');
    throw new AppError('nothing_to_continue', 'Resume its document, or retry its section.');
  }
  const conversation = await lockWithRight(work.tx, found.conversationId, userId, 'write', 'generation');
  const row = await findGeneration(work.tx, generationId);
  const message = await findMessage(work.tx, found.messageId);
  if (!row || !isOfConversation(row) || !message || message.generationId !== row.id || !isPartial(row))
    throw new AppError('nothing_to_continue', 'There is no partial text to go on from.');
  const maxTokens = row.askedMaxTokens ?? row.options.maxTokens;
  const options: GenerationOptions = {
    ...row.options,
    model: row.model,
    ...(maxTokens !== undefined && { maxTokens }),
  };
  // It goes on from this text, and is no answer to the same request (docs/decisions/0006).
  delete options.cache;
  const plan = await planGeneration(context, work, conversation, userId, options);
  const continued = await acceptGeneration(context, work, plan, {
    userId,
    promptId: row.promptId,
    position: row.position,
    continues: { messageId: message.id, content: row.content },
  });
  return toGeneration(continued);
}

/** Whether it stopped before its end, with text that can be gone on from. */
function isPartial({ status, stopReason, content }: GenerationRow): boolean {
  const early = status === 'completed' ? stopReason === 'max_tokens' : hasEnded(status);
  return early && textOf(content).trim() !== '';
}

async function lockMessage(
  work: Work,
  messageId: string,
  userId: string,
  right: Right,
): Promise<{ message: Message; conversation: ConversationRow }> {
  const found = isUuid(messageId) ? await findMessage(work.tx, messageId) : undefined;
  if (!found) throw noSuch('message');
  const conversation = await lockWithRight(work.tx, found.conversationId, userId, right, 'message');
  // Again under the lock: it may have been deleted meanwhile.
  return { message: await requireMessage(work, messageId), conversation };
}

async function requireMessage(work: Work, id: string): Promise<Message> {
  const message = await findMessage(work.tx, id);
  if (!message) throw noSuch('message');
  return message;
}

/** Drops what follows a message, with the generations that answer it or come later. */
async function dropAfter(
  context: ServiceContext,
  work: Work,
  conversation: ConversationRow,
  { position }: Message,
  userId: string,
): Promise<void> {
  const before = await listMessagesAfter(work.tx, conversation.id, position);
  if (before.some(({ author }) => author && author.id !== userId))
    await lockWithRight(work.tx, conversation.id, userId, 'own');
  await dropGenerations(context, work, conversation.id, (row) => row.position > position);
  const dropped = await listMessagesAfter(work.tx, conversation.id, position);
  await deleteMessages(
    work.tx,
    dropped.map(({ id }) => id),
  );
  for (const message of dropped) work.tell(conversationRoom(conversation.id), 'message.deleted', { message });
}

/** Ends generations without keeping what they wrote, though they pay for it; their workers find themselves fenced. */
export async function dropGenerations(
  context: ServiceContext,
  work: Work,
  conversationId: string,
  which: (row: ConversationGeneration) => boolean = () => true,
): Promise<void> {
  const dropped = (await listActiveGenerations(work.tx, conversationId)).filter(which);
  await lockBudgetsOf(work.tx, dropped);
  // Those that wait first: else the end of the one before would promote them.
  for (const row of dropped.reverse()) {
    const { usage, lost } = await writtenSoFar(context, row);
    await finish(context, work, row, {
      status: 'cancelled',
      stopReason: 'cancelled',
      content: [],
      usage,
      lost,
    });
    work.signal(row);
  }
}
