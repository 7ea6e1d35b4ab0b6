import { uuidv7 } from './ids.js';
import type { ContentBlock } from '../domain/content.js';
import { AppError, queueFull } from '../domain/errors.js';
import type { GenerationOptions } from '../domain/generation.js';
import { together } from '../lib/together.js';
import { currentTraceparent } from '../lib/tracing.js';
import type { ConversationRow } from '../store/conversations.js';
import type { Transaction } from '../store/database.js';
import {
  countUnfinishedOfUser,
  isAnswering,
  listActiveGenerations,
  toGenerationHead,
  type GenerationRow,
} from '../store/generations.js';
import { reopenMessage } from '../store/messages.js';
import { insertGeneration, newGeneration, transactionTime } from '../store/new-generations.js';
import { insertAnswer } from '../store/new-messages.js';
import { conversationRoom } from '../wire/room.js';
import { cancelLocked } from './cancel.js';
import { holdReservation, lockBudgetsAround, reserveAcceptance, type Reservation } from './reserve.js';
import type { ServiceContext } from './service-context.js';
import type { Work } from './work.js';

/** How a generation of a conversation is accepted: planned, prepared, written. All with the conversation locked. */

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

/** What decides whether a generation has to wait, or is refused. */
export interface Load {
  /** Something of the conversation has not ended. */
  busy: boolean;
  /** No more generations may wait. */
  queueIsFull: boolean;
}

/** Reads it in one round trip; behind the conversation's lock, or sent with it. */
export async function readLoad(
  { queueRoom }: ServiceContext,
  tx: Transaction,
  conversationId: string,
): Promise<Load> {
  const [busy, queueIsFull] = await together([isAnswering(tx, conversationId), queueRoom.isFull(tx)]);
  return { busy, queueIsFull };
}

/**
 * Decides whether and how a generation is taken: its model, room in the queue, and what the conversation's concurrency
 * makes of those that have not ended.
 */
export async function planGeneration(
  context: ServiceContext,
  work: Work,
  conversation: ConversationRow,
  userId: string,
  options: GenerationOptions,
  load?: Load,
): Promise<GenerationPlan> {
  const model = modelOf(context, conversation, options);
  const provider = context.models.resolve(model);
  context.tools.check(model, options.tools);
  checkThinking(options, context.limits.defaultMaxTokens);
  const { busy, queueIsFull } = load ?? (await readLoad(context, work.tx, conversation.id));
  if (queueIsFull) throw queueFull();
  const plan = { conversation, options, model, provider, waits: false };
  if (conversation.concurrency === 'parallel') return plan;
  switch (conversation.concurrency) {
    case 'queue':
      return { ...plan, waits: busy };
    case 'reject':
      if (busy) throw new AppError('conversation_busy', 'The conversation is being answered.');
      return plan;
    case 'interrupt': {
      const active = await listActiveGenerations(work.tx, conversation.id);
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

export interface GenerationPlace {
  userId: string;
  promptId: string;
  /** The answer's. */
  position: number;
  replacesMessageId?: string | null;
  /** A partial answer to go on from: its message is written on. */
  continues?: { messageId: string; content: ContentBlock[] };
}

/** What is written of a generation beside what is planned. */
interface Ready {
  reserved: Reservation;
  /** Unfinished generations of its user, without this one. */
  others: number;
  createdAt: Date;
}

/**
 * Looks what a planned generation may spend, and how many its user has before it.
 *
 * @throws AppError budget_exceeded
 */
export async function prepareGeneration(
  context: ServiceContext,
  work: Work,
  { conversation, options, model, waits }: GenerationPlan,
  { userId, position, continues }: GenerationPlace,
): Promise<Ready> {
  const [reserved, createdAt, others] = await together([
    reserveAcceptance(context, work, {
      conversation,
      userId,
      model,
      options,
      upToPosition: position - 1,
      continues: continues?.content ?? [],
    }),
    transactionTime(work.tx),
    waits ? 0 : countUnfinishedOfUser(work.tx, { userId, priority: priorityOf(options), documentId: null }),
  ]);
  return { reserved, createdAt, others };
}

/** Accepts a planned generation. @throws AppError budget_exceeded */
export async function acceptGeneration(
  context: ServiceContext,
  work: Work,
  plan: GenerationPlan,
  place: GenerationPlace,
): Promise<GenerationRow> {
  return acceptPrepared(work, plan, place, await prepareGeneration(context, work, plan, place));
}

/**
 * Accepts a generation, and tells the room; queued unless it has to wait. It is written, with its empty answer, at the
 * end of the transaction.
 */
export async function acceptPrepared(
  work: Work,
  { conversation, model, provider, waits }: GenerationPlan,
  { userId, promptId, position, replacesMessageId = null, continues }: GenerationPlace,
  { reserved, createdAt, others }: Ready,
): Promise<GenerationRow> {
  const room = conversationRoom(conversation.id);
  const messageId = continues?.messageId ?? uuidv7();
  const row = newGeneration({
    id: uuidv7(),
    createdAt,
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
    priority: priorityOf(reserved.options),
    queuedAt: waits ? null : new Date(),
    traceparent: currentTraceparent(),
  });
  const { id } = row;
  work.last((tx) => holdReservation(tx, { userId, conversationId: conversation.id }, reserved));
  work.last((tx) => insertGeneration(tx, row));
  work.last((tx) =>
    continues
      ? reopenMessage(tx, messageId, id)
      : insertAnswer(tx, { id: messageId, conversationId: conversation.id, generationId: id, position }),
  );
  if (waits) work.tell(room, 'generation.waiting', { generationId: id, generation: toGenerationHead(row) });
  else await work.enqueue(row, { others });
  return row;
}

const priorityOf = ({ priority = 5 }: GenerationOptions): number => priority;
