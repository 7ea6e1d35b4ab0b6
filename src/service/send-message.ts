import { uuidv7 } from './ids.js';
import { hasContent, type ContentBlock } from '../domain/content.js';
import type { Message, User } from '../domain/conversation.js';
import { AppError } from '../domain/errors.js';
import type { Generation, GenerationOptions } from '../domain/generation.js';
import { currentTraceparent } from '../lib/tracing.js';
import { updateConversation, type ConversationRow } from '../store/conversations.js';
import {
  countQueued,
  findGeneration,
  insertGeneration,
  listActiveGenerations,
  toGeneration,
  toGenerationHead,
  type GenerationRow,
} from '../store/generations.js';
import type { Transaction } from '../store/database.js';
import { findCaller, findMessage, insertMessages, reopenMessage } from '../store/messages.js';
import type { MessageOrigin } from '../store/schema/conversations.js';
import { conversationRoom } from '../wire/room.js';
import { lockWithRight } from './access.js';
import { cancelLocked } from './cancel.js';
import { lockBudgetsAround, reserveAcceptance } from './reserve.js';
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
  const conversation = await lockWithRight(tx, input.conversationId, input.author.id, 'write');
  const content = toBlocks(input.content);
  if (!hasContent(content)) throw new AppError('invalid_request', 'The message is empty.');

  const options = input.optionsAreWhole
    ? input.generate
    : input.generate && (await continuedOptions(tx, conversation.id, content, input.generate));
  const plan = options && (await planGeneration(context, work, conversation, input.author.id, options));
  const position = conversation.nextPosition;
  await updateConversation(tx, conversation.id, { nextPosition: position + 2 });

  const messageId = uuidv7();
  await insertMessages(tx, [
    {
      id: messageId,
      conversationId: conversation.id,
      role: 'user',
      authorId: input.author.id,
      content,
      status: 'complete',
      clientId: input.clientId,
      metadata: input.metadata,
      origin: input.origin,
      position,
    },
  ]);
  const message = await findMessage(tx, messageId);
  if (!message) throw new Error('the message has vanished from its own transaction');
  work.tell(conversationRoom(conversation.id), 'message.created', { message });

  if (!plan) return { message, generation: null };
  const row = await acceptGeneration(context, work, plan, {
    userId: input.author.id,
    promptId: messageId,
    position: position + 1,
  });
  return { message, generation: toGeneration(row) };
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

/** What was decided about a generation before anything is written. */
export interface GenerationPlan {
  conversation: ConversationRow;
  options: GenerationOptions;
  model: string;
  provider: GenerationRow['provider'];
  waits: boolean;
}

/** Which model a generation with these options is run by. */
export const modelOf = (
  { models }: ServiceContext,
  conversation: ConversationRow,
  options: GenerationOptions,
): string => options.model ?? conversation.model ?? models.defaultModel;

/**
 * Decides whether and how a generation is taken: its model, room in the queue, and what the conversation's concurrency
 * makes of those that have not ended. The conversation is locked.
 */
export async function planGeneration(
  context: ServiceContext,
  work: Work,
  conversation: ConversationRow,
  userId: string,
  options: GenerationOptions,
): Promise<GenerationPlan> {
  const model = modelOf(context, conversation, options);
  const provider = context.models.resolve(model);
  context.tools.check(model, options.tools);
  checkThinking(options, context.limits.defaultMaxTokens);
  const { maxQueuedGenerations } = context.limits;
  if ((await countQueued(work.tx, maxQueuedGenerations)) >= maxQueuedGenerations)
    throw new AppError('queue_full', 'Too many generations are waiting.', { retryAfterSeconds: 5 });
  const plan = { conversation, options, model, provider, waits: false };
  if (conversation.concurrency === 'parallel') return plan;
  const active = await listActiveGenerations(work.tx, conversation.id);
  switch (conversation.concurrency) {
    case 'queue':
      return { ...plan, waits: active.length > 0 };
    case 'reject':
      if (active.length > 0) throw new AppError('conversation_busy', 'The conversation is being answered.');
      return plan;
    case 'interrupt': {
      await lockBudgetsAround(work, { conversation, userId, model });
      // Those that wait first: else the end of a queued one would promote them.
      for (const row of [...active].reverse()) await cancelLocked(context, work, row, 'interrupted');
      return { ...plan, waits: active.some(({ status }) => status === 'running') };
    }
  }
}

/** What was asked for with `maxTokens` has been checked with the request. */
function checkThinking({ thinking, maxTokens }: GenerationOptions, defaultMaxTokens: number): void {
  if (thinking?.type !== 'enabled' || maxTokens !== undefined || thinking.budgetTokens < defaultMaxTokens)
    return;
  throw new AppError(
    'invalid_request',
    `thinking.budgetTokens must be less than maxTokens, which is ${defaultMaxTokens} where the request does not say.`,
  );
}

interface GenerationPlace {
  userId: string;
  promptId: string;
  /** The answer's. */
  position: number;
  replacesMessageId?: string | null;
  /** A partial answer to go on from: its message is written on. */
  continues?: { messageId: string; content: ContentBlock[] };
}

/**
 * Writes the generation with its empty answer, reserves what it may cost, and tells the room; queued unless it has to
 * wait. @throws AppError budget_exceeded
 */
export async function acceptGeneration(
  context: ServiceContext,
  work: Work,
  { conversation, options, model, provider, waits }: GenerationPlan,
  { userId, promptId, position, replacesMessageId = null, continues }: GenerationPlace,
): Promise<GenerationRow> {
  const reserved = await reserveAcceptance(context, work, {
    conversation,
    userId,
    model,
    options,
    upToPosition: position - 1,
    continues: continues?.content ?? [],
  });
  const id = uuidv7();
  const messageId = continues?.messageId ?? uuidv7();
  const row = await insertGeneration(work.tx, {
    id,
    conversationId: conversation.id,
    userId,
    status: waits ? 'waiting' : 'queued',
    model,
    provider,
    ...reserved,
    promptId,
    messageId,
    position,
    replacesMessageId,
    content: continues?.content ?? [],
    priority: options.priority ?? 5,
    queuedAt: waits ? null : new Date(),
    traceparent: currentTraceparent(),
  });
  if (continues) await reopenMessage(work.tx, messageId, id);
  else
    await insertMessages(work.tx, [
      {
        id: messageId,
        conversationId: conversation.id,
        role: 'assistant',
        content: [],
        status: 'streaming',
        generationId: id,
        position,
      },
    ]);
  if (waits)
    work.tell(conversationRoom(conversation.id), 'generation.waiting', {
      generationId: id,
      generation: toGenerationHead(row),
    });
  else await work.enqueue(row);
  return row;
}
