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
  listActiveGenerations,
  toGenerationHead,
  type GenerationRow,
} from '../store/generations.js';
import { generationWrite, newGeneration } from '../store/new-generations.js';
import { answerWrite, reopenedAnswerWrite } from '../store/new-messages.js';
import { findSurroundings, type Surroundings } from '../store/surroundings.js';
import { conversationRoom } from '../wire/room.js';
import { cancelLocked } from './cancel.js';
import {
  reservationWrites,
  lockBudgetsAround,
  reserveAcceptance,
  type KnownOfAcceptance,
  type Reservation,
} from './reserve.js';
import type { ServiceContext } from './service-context.js';
import type { Work } from './work.js';

/** How a generation of a conversation is accepted: planned, reserved, written. All with the conversation locked. */

/** What was decided about a generation before anything is written. */
export interface GenerationPlan {
  conversation: ConversationRow;
  options: GenerationOptions;
  model: string;
  provider: GenerationRow['provider'];
  waits: boolean;
  /** Unfinished generations of its user, before this one. */
  others: number;
  /** When the transaction began, by Postgres' clock. */
  now: Date;
}

/** Which model a generation with these options is run by. */
export const modelOf = (
  { models }: ServiceContext,
  conversation: ConversationRow,
  options: GenerationOptions,
): string => options.model ?? conversation.model ?? models.defaultModel;

/** What a new generation finds, beside what its conversation says. */
interface Seen extends Surroundings {
  /** For which the others were counted. */
  priority: number;
  /** No more generations may wait. */
  queueIsFull: boolean;
}

interface ToBeAccepted {
  conversationId: string;
  userId: string;
  options: GenerationOptions;
}

/** Looks at it in one round trip; behind the conversation's lock, or sent with it. */
export async function lookAround(
  { queueRoom }: ServiceContext,
  tx: Transaction,
  { conversationId, userId, options }: ToBeAccepted,
  upToPosition: number | null = null,
): Promise<Seen> {
  const priority = priorityOf(options);
  const [surroundings, queueIsFull] = await together([
    findSurroundings(tx, { conversationId, userId, priority, upToPosition }),
    queueRoom.isFull(tx),
  ]);
  return { priority, queueIsFull, ...surroundings };
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
  seen?: Seen,
): Promise<GenerationPlan> {
  const model = modelOf(context, conversation, options);
  const provider = context.models.resolve(model);
  context.tools.check(model, options.tools);
  checkThinking(options, context.limits.defaultMaxTokens);
  const { id: conversationId } = conversation;
  const { busy, others, now, queueIsFull } =
    seen?.priority === priorityOf(options)
      ? seen
      : await lookAround(context, work.tx, { conversationId, userId, options });
  if (queueIsFull) throw queueFull();
  const plan = { conversation, options, model, provider, waits: false, others, now };
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
      return {
        ...plan,
        waits: active.some(({ status }) => status === 'running'),
        others: await countUnfinishedOfUser(work.tx, {
          userId,
          priority: priorityOf(options),
          documentId: null,
        }),
      };
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

/**
 * Says what a planned generation may spend.
 *
 * @throws AppError budget_exceeded
 */
export const reserveGeneration = (
  context: ServiceContext,
  work: Work,
  { conversation, options, model }: GenerationPlan,
  { userId, position, continues }: GenerationPlace,
  known: KnownOfAcceptance = {},
): Promise<Reservation> =>
  reserveAcceptance(context, work, {
    conversation,
    userId,
    model,
    options,
    upToPosition: position - 1,
    continues: continues?.content ?? [],
    ...known,
  });

/** Accepts a planned generation. @throws AppError budget_exceeded */
export async function acceptGeneration(
  context: ServiceContext,
  work: Work,
  plan: GenerationPlan,
  place: GenerationPlace,
): Promise<GenerationRow> {
  return acceptReserved(work, plan, place, await reserveGeneration(context, work, plan, place));
}

/**
 * Accepts a generation, and tells the room; queued unless it has to wait. It is written, with its empty answer, at the
 * end of the transaction.
 */
export async function acceptReserved(
  work: Work,
  { conversation, model, provider, waits, others, now }: GenerationPlan,
  { userId, promptId, position, replacesMessageId = null, continues }: GenerationPlace,
  reserved: Reservation,
): Promise<GenerationRow> {
  const room = conversationRoom(conversation.id);
  const messageId = continues?.messageId ?? uuidv7();
  const row = newGeneration({
    id: uuidv7(),
    createdAt: now,
    conversationId: conversation.id,
    userId,
    status: waits ? 'waiting' : 'queued',
    model,
    provider,
    promptId,
    messageId,
    position,
    replacesMessageId,
    content: continues?.content ?? [],
    priority: priorityOf(reserved.options),
    queuedAt: waits ? null : new Date(),
    traceparent: currentTraceparent(),
    ...reserved,
  });
  const { id } = row;
  work.last(
    ...reservationWrites({ userId, conversationId: conversation.id }, reserved),
    generationWrite(row),
    continues
      ? reopenedAnswerWrite(messageId, id)
      : answerWrite({ id: messageId, conversationId: conversation.id, generationId: id, position }),
  );
  if (waits) work.tell(room, 'generation.waiting', { generationId: id, generation: toGenerationHead(row) });
  else await work.enqueue(row, { others });
  return row;
}

const priorityOf = ({ priority = 5 }: GenerationOptions): number => priority;
