import { tokenPrice, toUsd, type NanoUsd } from '../domain/cost.js';
import { AppError } from '../domain/errors.js';
import type { GenerationBudget } from '../domain/generation.js';
import {
  conversationBudget,
  findBudgets,
  lockBudgets,
  userBudget,
  type BudgetKey,
  type BudgetRow,
  type BudgetScope,
} from '../store/budgets.js';
import type { Executor, Transaction } from '../store/database.js';
import type { GenerationRow } from '../store/generations.js';
import type { BudgetView } from '../wire/budget.js';

/** The limits of the settings, of each user's day and of each conversation; null: none. */
export type BudgetLimits = Readonly<Record<BudgetScope, NanoUsd | null>>;

/** A budget as it stands. */
export interface Budget extends BudgetKey {
  reservedNano: NanoUsd;
  spentNano: NanoUsd;
  /** Null: nothing limits it. */
  limitNano: NanoUsd | null;
}

/** What says whose budgets a generation counts for. */
type Payer = Pick<GenerationRow, 'userId' | 'conversationId' | 'budgetDay'>;

/** The budgets that a generation counts for: a document has none of its own. */
export const budgetsOf = ({ userId, conversationId, budgetDay }: Payer): BudgetKey[] => [
  ...(conversationId === null ? [] : [conversationBudget(conversationId)]),
  userBudget(userId, budgetDay),
];

const limited =
  (limits: BudgetLimits) =>
  ({ ownLimitNano, ...row }: BudgetRow): Budget => ({
    ...row,
    limitNano: ownLimitNano === undefined ? limits[row.scope] : ownLimitNano,
  });

/** Reads budgets, in the order of the keys; those that nobody has used yet are empty. */
export async function readBudgets(
  db: Executor,
  limits: BudgetLimits,
  keys: readonly BudgetKey[],
): Promise<Budget[]> {
  return (await findBudgets(db, keys)).map(limited(limits));
}

/** The same, locked to the end of the transaction. */
export async function openBudgets(
  tx: Transaction,
  limits: BudgetLimits,
  keys: readonly BudgetKey[],
): Promise<Budget[]> {
  return (await lockBudgets(tx, keys)).map(limited(limits));
}

/**
 * Locks the budgets of several generations, for a transaction that ends more than one, or ends some and accepts another:
 * locked one after the other, in another order than somebody else's, they could wait for each other for ever.
 */
export async function lockBudgetsOf(
  tx: Transaction,
  generations: readonly (Payer & { model: string })[],
): Promise<void> {
  const priced = generations.filter(({ model }) => tokenPrice(model) !== null);
  await lockBudgets(tx, priced.flatMap(budgetsOf));
}

/** What can still be reserved of a budget; negative when it is overdrawn, Infinity when nothing limits it. */
export const leftIn = ({ limitNano, spentNano, reservedNano }: Budget): number =>
  limitNano === null ? Infinity : limitNano - spentNano - reservedNano;

/** The budget with least left: that which limits. */
function tightest(budgets: readonly Budget[]): Budget | undefined {
  return [...budgets].sort((a, b) => (leftIn(a) < leftIn(b) ? -1 : 1))[0];
}

/** How an ended generation says that its budgets stand; null: nothing limits them. */
export function generationBudget(budgets: readonly Budget[]): GenerationBudget | null {
  const budget = tightest(budgets);
  if (!budget || budget.limitNano === null) return null;
  return { spentUsd: toUsd(budget.spentNano), remainingUsd: toUsd(Math.max(0, leftIn(budget))) };
}

/** A budget as the API tells of it. */
export function budgetView(budget: Budget): BudgetView {
  return {
    spentUsd: toUsd(budget.spentNano),
    reservedUsd: toUsd(budget.reservedNano),
    limitUsd: budget.limitNano === null ? null : toUsd(budget.limitNano),
  };
}

/** What a request is refused with when a budget has too little left for any answer. */
export function budgetExceeded(budgets: readonly Budget[]): AppError {
  const whose =
    tightest(budgets)?.scope === 'user' ? 'Your budget of today (UTC)' : "The conversation's budget";
  return new AppError('budget_exceeded', `${whose} has too little left for an answer.`);
}
