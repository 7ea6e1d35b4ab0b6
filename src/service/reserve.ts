import { grantOf, leastTokens, utcDay } from '../domain/budget.js';
import { costOf, mostForInput, tokenPrice, type NanoUsd } from '../domain/cost.js';
import type { ContentBlock } from '../domain/content.js';
import type { GenerationOptions, Usage } from '../domain/generation.js';
import { modelInfo } from '../domain/models.js';
import { tokensOfBytes } from '../domain/tokens.js';
import { together } from '../lib/together.js';
import { moveBudgets, reservedWrite } from '../store/budgets.js';
import type { ConversationRow } from '../store/conversations.js';
import {
  listActiveGenerations,
  lockGeneration,
  updateGeneration,
  type GenerationRow,
} from '../store/generations.js';
import { sizeInHistory, sizeOfHistory } from '../store/messages.js';
import type { Write } from '../store/write-together.js';
import {
  budgetExceeded,
  budgetsOf,
  leftIn,
  lockBudgetsOf,
  openBudgets,
  readBudgets,
  type Budget,
} from './budget.js';
import { contextTokensFor } from './documents/document-context.js';
import { lockPlace } from './lock-place.js';
import type { ServiceContext } from './service-context.js';
import { transact, type Work } from './work.js';

/** What a request may have beside history and system prompt: that several people write, and what goes on from a text. */
const framingTokens = 64;

interface Acceptance {
  conversation: ConversationRow;
  userId: string;
  model: string;
  options: GenerationOptions;
  /** Of the prompt: the history goes up to it. */
  upToPosition: number;
  /** The partial answer that is gone on from. */
  continues: readonly ContentBlock[];
}

/** What need not be asked of Postgres. */
export interface KnownOfAcceptance {
  /** The prompt, where that is not stored yet. */
  unwritten?: readonly ContentBlock[];
  /** The size of what is stored of the history. */
  historyBytes?: number | null | undefined;
  /** An operator has set a limit for the user or the conversation; where that is not known, one may have. */
  limited?: boolean | undefined;
}

/**
 * Locks the budgets of all that has not ended in a conversation and of what is about to be accepted there, for commands
 * that end some of the former before they accept the latter; see {@link lockBudgetsOf}.
 */
export async function lockBudgetsAround(
  { tx }: Work,
  { conversation, userId, model }: Pick<Acceptance, 'conversation' | 'userId' | 'model'>,
): Promise<void> {
  const accepted = { userId, conversationId: conversation.id, model, budgetDay: utcDay(new Date()) };
  await lockBudgetsOf(tx, [...(await listActiveGenerations(tx, conversation.id)), accepted]);
}

/** What is written of it with the generation. */
export type Reservation = Pick<GenerationRow, 'budgetDay' | 'reservedNano' | 'askedMaxTokens' | 'options'>;

/**
 * Says what is granted for the first call of a generation that is being accepted (B1 and B2 in docs/decisions/0004), to
 * be taken by {@link reservationWrites}. Where less is left than it asks for, its `maxTokens` are lowered to that. The
 * conversation is locked.
 *
 * @throws AppError budget_exceeded
 */
export async function reserveAcceptance(
  context: ServiceContext,
  work: Work,
  { conversation, userId, model, options, upToPosition, continues, ...known }: Acceptance & KnownOfAcceptance,
): Promise<Reservation> {
  const { limits } = context;
  const { contextTokens, maxOutputTokens } = modelInfo(model);
  const maxTokens = Math.min(options.maxTokens ?? limits.defaultMaxTokens, maxOutputTokens);
  const payer = { userId, conversationId: conversation.id };
  const inputTokens = async () => {
    const bytes =
      (known.historyBytes ?? (await sizeOfHistory(work.tx, conversation.id, upToPosition))) +
      (known.unwritten ? sizeInHistory(known.unwritten) : 0) +
      Buffer.byteLength(options.system ?? conversation.system ?? '') +
      Buffer.byteLength(JSON.stringify(continues));
    const about = conversation.documentId === null ? 0 : contextTokensFor(model);
    return Math.min(tokensOfBytes(bytes) + about + framingTokens, contextTokens);
  };
  const least = leastTokens(options, maxTokens);
  return reserveFirstCall(context, work, payer, {
    model,
    options,
    maxTokens,
    leastTokens: least,
    inputTokens,
    limited: known.limited ?? true,
  });
}

type Payer = Pick<GenerationRow, 'userId' | 'conversationId'>;

interface FirstCall {
  model: string;
  options: GenerationOptions;
  /** Asked only where the model costs something. */
  inputTokens: () => Promise<number>;
  maxTokens: number;
  /** Fewer are refused. */
  leastTokens: number;
  /** An operator may have set a limit for the user or the conversation. */
  limited?: boolean;
}

/** Takes what was granted out of the budgets; together with the generation, or not at all. */
export const reservationWrites = (payer: Payer, { budgetDay, reservedNano }: Reservation): Write[] =>
  reservedNano === 0 ? [] : [reservedWrite(budgetsOf({ budgetDay, ...payer }), reservedNano)];

/**
 * The same of a call whose size is known, with the conversation or document locked: says what is granted, and locks the
 * budgets that it is to be taken out of, if anything limits them.
 *
 * @throws AppError budget_exceeded
 */
export async function reserveFirstCall(
  { budgets }: ServiceContext,
  { tx }: Work,
  payer: Payer,
  { model, options, inputTokens, maxTokens, leastTokens, limited = true }: FirstCall,
): Promise<Reservation> {
  const budgetDay = utcDay(new Date());
  const price = tokenPrice(model);
  if (!price) return { budgetDay, reservedNano: 0, askedMaxTokens: null, options };
  const keys = budgetsOf({ budgetDay, ...payer });
  const mayBeLimited = limited || keys.some(({ scope }) => budgets[scope] !== null);
  const [open, input] = await together([mayBeLimited ? openBudgets(tx, budgets, keys) : [], inputTokens()]);
  const wanted = {
    inputNano: mostForInput(price, input),
    outputNano: price.output,
    maxTokens,
    leastTokens,
  };
  const grant = grantOf(wanted, Math.min(...open.map(leftIn)));
  if (!grant) throw budgetExceeded(open);
  const lowered = grant.maxTokens < maxTokens;
  return {
    budgetDay,
    reservedNano: grant.nano,
    askedMaxTokens: lowered ? maxTokens : null,
    options: lowered ? { ...options, maxTokens: grant.maxTokens } : options,
  };
}

/** What a generation has to spend. */
export interface Allowance {
  /** What is reserved for the call. */
  reservedNano: NanoUsd;
  /** The budgets that limit it. Empty: none does. */
  limited: Budget[];
}

const allowanceOf = (reservedNano: NanoUsd, budgets: readonly Budget[]): Allowance => ({
  reservedNano,
  limited: budgets.filter(({ limitNano }) => limitNano !== null),
});

/** What was reserved for a generation before it began. */
export async function readAllowance(
  { budgets }: ServiceContext,
  work: Work,
  row: GenerationRow,
): Promise<Allowance> {
  if (!tokenPrice(row.model)) return allowanceOf(0, []);
  return allowanceOf(row.reservedNano, await readBudgets(work.tx, budgets, budgetsOf(row)));
}

export interface CallToReserve {
  /** What the calls before this one have used. */
  before: Usage;
  wantedNano: NanoUsd;
  /** Less than this is refused. */
  leastNano: NanoUsd;
}

type Answer = { kind: 'reserved'; allowance: Allowance } | { kind: 'refused' | 'fenced' | 'cancelled' };

/**
 * Reserves a call of a generation that runs, in the place of what was reserved for the call before, whose cost is spent
 * from now on. Grants what is left, if it is less than wanted.
 */
export async function reserveCall(
  context: ServiceContext,
  { id, attempt, ...place }: Pick<GenerationRow, 'id' | 'attempt' | 'conversationId' | 'documentId'>,
  { before, wantedNano, leastNano }: CallToReserve,
): Promise<Answer> {
  return transact(context, async ({ tx }) => {
    const row = (await lockPlace(tx, place)) && (await lockGeneration(tx, id));
    if (row?.status !== 'running' || row.attempt !== attempt) return { kind: 'fenced' };
    if (row.cancelRequestedAt) return { kind: 'cancelled' };
    const keys = budgetsOf(row);
    const open = await openBudgets(tx, context.budgets, keys);
    const spentNano = spentWith(row, before);
    const newlySpent = spentNano - row.spentNano;
    const leftNano = Math.min(...open.map(leftIn)) + row.reservedNano - newlySpent;
    if (leftNano < leastNano) return { kind: 'refused' };
    const reservedNano = Math.max(0, Math.min(wantedNano, leftNano));
    const moved = { reservedNano: reservedNano - row.reservedNano, spentNano: newlySpent };
    await moveBudgets(tx, keys, moved);
    await updateGeneration(tx, id, { reservedNano, spentNano });
    const after = open.map((budget) => ({
      ...budget,
      reservedNano: budget.reservedNano + moved.reservedNano,
      spentNano: budget.spentNano + moved.spentNano,
    }));
    return { kind: 'reserved', allowance: allowanceOf(reservedNano, after) };
  });
}

/** What a generation has cost, with all of this used. Never less than what was counted before. */
export function spentWith(
  { model, spentNano, lostNano }: Pick<GenerationRow, 'model' | 'spentNano' | 'lostNano'>,
  usage: Usage | null,
): NanoUsd {
  return Math.max(spentNano, lostNano + (usage ? costOf(tokenPrice(model), usage) : 0));
}
