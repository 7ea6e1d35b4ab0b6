import { uuidv7 } from './ids.js';
import { hasContent, type ContentBlock } from '../domain/content.js';
import type { Message, User } from '../domain/conversation.js';
import { tokenPrice } from '../domain/cost.js';
import { AppError, noSuch } from '../domain/errors.js';
import type { Generation, GenerationOptions } from '../domain/generation.js';
import { together } from '../lib/together.js';
import { lockConversation, positionsWrite } from '../store/conversations.js';
import { findGeneration, toGeneration } from '../store/generations.js';
import type { Transaction } from '../store/database.js';
import { findCaller } from '../store/messages.js';
import { transactionTime } from '../store/new-generations.js';
import { messageOf, promptWrite } from '../store/new-messages.js';
import type { MessageOrigin } from '../store/schema/conversations.js';
import { conversationRoom, isUuid } from '../wire/room.js';
import { acceptReserved, lookAround, planGeneration, reserveGeneration } from './accept-generation.js';
import { checkRole, lockWithRight } from './access.js';
import type { ServiceContext } from './service-context.js';
import type { Work } from './work.js';

export interface NewMessage {
  conversationId: string;
  author: User;
  content: string | ContentBlock[];
  /** `false`: a remark between people; options otherwise. */
  generate: false | GenerationOptions;
  /** Nothing is added to the options from the generation whose calls the message answers. */
  optionsAreWhole?: boolean;
  clientId: string | null;
  metadata: Record<string, unknown> | null;
  origin: MessageOrigin;
}

/** Content as blocks, whichever way it was written. */
export const toBlocks = (content: string | ContentBlock[]): ContentBlock[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content;

/**
 * Accepts a message and, unless it is a remark, the generation of its answer.
 *
 * Invariant: positions are taken under the conversation's lock, an even one for a prompt, the odd one behind it for its
 * answers; so history, lists and paging agree on one order, whatever order transactions commit in.
 *
 * @throws AppError not_found, forbidden, unsupported_model, conversation_busy, queue_full, budget_exceeded
 */
export async function sendMessage(
  context: ServiceContext,
  work: Work,
  input: NewMessage,
): Promise<{ message: Message; generation: Generation | null }> {
  const { tx } = work;
  const { conversationId, author, generate } = input;
  if (!isUuid(conversationId)) throw noSuch('conversation');
  const { conversation, now, seen } = await lockAndLook(context, work, input);
  const content = toBlocks(input.content);
  if (!hasContent(content)) throw new AppError('invalid_request', 'The message is empty.');

  const options =
    generate && !input.optionsAreWhole
      ? await continuedOptions(tx, conversationId, content, generate)
      : generate;
  const plan = options && (await planGeneration(context, work, conversation, author.id, options, seen));
  const position = conversation.nextPosition;
  const prompt = {
    id: uuidv7(),
    conversationId,
    content,
    clientId: input.clientId,
    metadata: input.metadata,
    origin: input.origin,
    position,
    author,
    createdAt: now,
  };
  const message = messageOf(prompt);
  const place = { userId: author.id, promptId: prompt.id, position: position + 1 };
  const known = { historyBytes: seen?.historyBytes, limited: seen?.limited, unwritten: content };
  const reserved = plan && (await reserveGeneration(context, work, plan, place, known));
  work.last(promptWrite(prompt), positionsWrite(conversationId, position + 2));
  work.tell(conversationRoom(conversationId), 'message.created', { message });

  if (!plan || !reserved) return { message, generation: null };
  return { message, generation: toGeneration(await acceptReserved(work, plan, place, reserved)) };
}

/** Locks the conversation, with the right to write there, and looks at what matters for an answer, in one round trip. */
async function lockAndLook(
  context: ServiceContext,
  { tx }: Work,
  { conversationId, author: { id: userId }, generate }: NewMessage,
) {
  if (!generate) {
    const [conversation, now] = await together([
      lockWithRight(tx, conversationId, userId, 'write'),
      transactionTime(tx),
    ]);
    return { conversation, now };
  }
  // Of the whole history, where its size will be asked for as far as is known before the conversation is.
  const upTo = tokenPrice(generate.model ?? context.models.defaultModel) ? Number.MAX_SAFE_INTEGER : null;
  const [conversation, seen] = await together([
    lockConversation(tx, conversationId),
    lookAround(context, tx, { conversationId, userId, options: generate }, upTo),
  ]);
  checkRole(seen.role, 'write');
  if (!conversation) throw noSuch('conversation');
  return { conversation, now: seen.now, seen };
}

/**
 * The options of a generation that goes on from results of the client's tools: those of the generation that called them,
 * its tools first of all, where the request does not say otherwise.
 */
async function continuedOptions(
  tx: Transaction,
  conversationId: string,
  content: readonly ContentBlock[],
  given: GenerationOptions,
): Promise<GenerationOptions> {
  const result = content.find((block) => block.type === 'tool_result');
  const callerId = result && (await findCaller(tx, conversationId, result.tool_use_id));
  const caller = callerId && (await findGeneration(tx, callerId));
  return caller ? { ...caller.options, model: caller.model, ...given } : given;
}
