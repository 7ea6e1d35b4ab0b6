import type { ContentBlock, TextBlock, ToolResultBlock } from '../domain/content.js';
import type { Message, User } from '../domain/conversation.js';
import { AppError } from '../domain/errors.js';
import type { Generation, GenerationOptions } from '../domain/generation.js';
import { canonicalJson } from '../lib/canonical-json.js';
import { findChat, insertChat } from '../store/chats.js';
import { findAnswering, toGeneration } from '../store/generations.js';
import { findCaller, findMessageByClientId } from '../store/messages.js';
import type { MessageOrigin } from '../store/schema/conversations.js';
import { lockUser } from '../store/users.js';
import { lockWithRight } from './access.js';
import { createConversation } from './conversations.js';
import { editMessage } from './rewrite.js';
import { sendMessage } from './send-message.js';
import type { ServiceContext } from './service-context.js';
import type { Work } from './work.js';

/** What a client adds to its chat. */
export type ChatTurn =
  | {
      kind: 'prompt';
      /** The client's id of the message. */
      clientId: string;
      content: TextBlock[];
      metadata: Record<string, unknown> | null;
      /** It is to be answered anew, and what follows it dropped. */
      anew: boolean;
    }
  /** What the client's own tools have answered. */
  | { kind: 'results'; results: ToolResultBlock[] };

interface NewTurn {
  user: User;
  /** The client's name for its conversation. */
  chatId: string;
  turn: ChatTurn;
  options: GenerationOptions;
  origin: MessageOrigin;
}

/**
 * Takes the next turn of a chat that its client names itself; the conversation is made at the name's first use.
 *
 * Invariants:
 * - A name of a user's stands for one conversation, however many first turns come at once.
 * - A turn is known by its ids, so that one that comes again is not asked again: it answers with what answers it.
 *
 * @throws AppError invalid_request (results of calls that nobody made), and what accepting a message throws
 */
export async function takeTurn(
  context: ServiceContext,
  work: Work,
  { user, chatId, turn, options, origin }: NewTurn,
): Promise<Generation> {
  const { tx } = work;
  const conversationId = await findOrMakeChat(context, work, user, chatId);
  await lockWithRight(tx, conversationId, user.id, 'write');
  const isPrompt = turn.kind === 'prompt';
  const content = isPrompt ? turn.content : turn.results;
  const clientId = isPrompt ? turn.clientId : await idOfResults(work, conversationId, turn.results);
  const known = await findMessageByClientId(tx, conversationId, user.id, clientId);
  if (known) {
    const anew = (isPrompt && turn.anew) || !isSame(known, content);
    const answering = anew ? undefined : await findAnswering(tx, known.id);
    if (answering) return toGeneration(answering);
    const edit = { messageId: known.id, userId: user.id, content, regenerate: options };
    return begun((await editMessage(context, work, edit)).generation);
  }
  const metadata = isPrompt ? turn.metadata : null;
  const message = { conversationId, author: user, content, generate: options, clientId, metadata, origin };
  return begun((await sendMessage(context, work, message)).generation);
}

/** The user's lock is what a twin waits for. */
async function findOrMakeChat(
  context: ServiceContext,
  work: Work,
  user: User,
  chatId: string,
): Promise<string> {
  const found = await findChat(work.tx, user.id, chatId);
  if (found !== undefined) return found;
  await lockUser(work.tx, user.id);
  const made = await findChat(work.tx, user.id, chatId);
  if (made !== undefined) return made;
  const { id } = await createConversation(context, work, user, {});
  await insertChat(work.tx, { userId: user.id, chatId, conversationId: id });
  return id;
}

/** Results have no id of their own; ids of calls may come again, in another answer. */
async function idOfResults(
  { tx }: Work,
  conversationId: string,
  results: readonly ToolResultBlock[],
): Promise<string> {
  const callId = results[0]?.tool_use_id ?? '';
  const callerId = await findCaller(tx, conversationId, callId);
  if (callerId === undefined)
    throw new AppError('invalid_request', `No tool was called here with the id "${callId.slice(0, 100)}".`);
  return `${callerId}:${callId}`.slice(0, 200);
}

const isSame = (known: Message, content: readonly ContentBlock[]): boolean =>
  canonicalJson(known.content) === canonicalJson(content);

function begun(generation: Generation | null): Generation {
  if (!generation) throw new AppError('internal', 'Nothing was asked.');
  return generation;
}
