import { and, eq, or, sql } from 'drizzle-orm';
import type { NanoUsd } from '../domain/cost.js';
import type { Executor, Transaction } from './database.js';
import { budgetLimits, budgets, type BudgetScope } from './schema/budgets.js';

export type { BudgetScope };

/** Names a budget: a user's of a day, or a conversation's. */
export interface BudgetKey {
  scope: BudgetScope;
  subject: string;
  /** `YYYY-MM-DD` (UTC), or `all`. */
  period: string;
}

export interface BudgetRow extends BudgetKey {
  reservedNano: NanoUsd;
  spentNano: NanoUsd;
  /** What an operator has set; null: no limit. Undefined: nobody has, the setting holds. */
  ownLimitNano: NanoUsd | null | undefined;
}

export const userBudget = (userId: string, day: string): BudgetKey => ({
  scope: 'user',
  subject: userId,
  period: day,
});
export const conversationBudget = (conversationId: string): BudgetKey => ({
  scope: 'conversation',
  subject: conversationId,
  period: 'all',
});

const nameOf = ({ scope, subject, period }: BudgetKey) => `${scope} ${period} ${subject}`;

const is = ({ scope, subject, period }: BudgetKey) =>
  and(eq(budgets.scope, scope), eq(budgets.subject, subject), eq(budgets.period, period));

/** What there is of these budgets, in the order of the keys. */
export async function findBudgets(db: Executor, keys: readonly BudgetKey[]): Promise<BudgetRow[]> {
  const rows = await db
    .select()
    .from(budgets)
    .where(or(...keys.map(is)));
  return withLimits(db, keys, rows);
}

/**
 * Locks these budgets until the end of the transaction, and makes those that are not there yet. Its generations'
 * conversation is locked before; see the order of locks in docs/decisions/0004.
 */
export async function lockBudgets(tx: Transaction, keys: readonly BudgetKey[]): Promise<BudgetRow[]> {
  const distinct = new Map(keys.map((key) => [nameOf(key), key]));
  const sorted = [...distinct].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, key]) => key);
  if (sorted.length === 0) return [];
  const rows = await tx
    .insert(budgets)
    .values(sorted.map(({ scope, subject, period }) => ({ scope, subject, period })))
    .onConflictDoUpdate({
      target: [budgets.scope, budgets.subject, budgets.period],
      set: { spentNano: sql`${budgets.spentNano}` }, // nothing but the lock and the row
    })
    .returning();
  return withLimits(tx, keys, rows);
}

/** Adds to what is reserved and spent of these budgets, which are locked. */
export async function moveBudgets(
  tx: Transaction,
  keys: readonly BudgetKey[],
  { reservedNano, spentNano }: { reservedNano: NanoUsd; spentNano: NanoUsd },
): Promise<void> {
  if (reservedNano === 0 && spentNano === 0) return;
  await tx
    .update(budgets)
    .set({
      reservedNano: sql`${budgets.reservedNano} + ${reservedNano}`,
      spentNano: sql`${budgets.spentNano} + ${spentNano}`,
    })
    .where(or(...keys.map(is)));
}

/** Limits a user's every day, or a conversation. */
export async function setBudgetLimit(
  db: Executor,
  scope: BudgetScope,
  subject: string,
  limitNano: NanoUsd | null,
): Promise<void> {
  await db
    .insert(budgetLimits)
    .values({ scope, subject, limitNano })
    .onConflictDoUpdate({ target: [budgetLimits.scope, budgetLimits.subject], set: { limitNano } });
}

/** The setting's limit again, and nothing spent of this budget. What is reserved stays: it is being used. */
export async function resetBudget(tx: Transaction, key: BudgetKey): Promise<void> {
  await deleteLimit(tx, key);
  await tx.update(budgets).set({ spentNano: 0 }).where(is(key));
}

/** Forgets a budget whose owner is no more. */
export async function deleteBudget(tx: Transaction, key: BudgetKey): Promise<void> {
  await deleteLimit(tx, key);
  await tx.delete(budgets).where(is(key));
}

async function deleteLimit(tx: Transaction, { scope, subject }: BudgetKey): Promise<void> {
  await tx.delete(budgetLimits).where(and(eq(budgetLimits.scope, scope), eq(budgetLimits.subject, subject)));
}

async function withLimits(
  db: Executor,
  keys: readonly BudgetKey[],
  rows: readonly (typeof budgets.$inferSelect)[],
): Promise<BudgetRow[]> {
  const limits = await db
    .select()
    .from(budgetLimits)
    .where(
      or(
        ...keys.map(({ scope, subject }) =>
          and(eq(budgetLimits.scope, scope), eq(budgetLimits.subject, subject)),
        ),
      ),
    );
  return keys.map((key) => {
    const row = rows.find((found) => nameOf(found) === nameOf(key));
    const own = limits.find(({ scope, subject }) => scope === key.scope && subject === key.subject);
    return {
      ...key,
      reservedNano: row?.reservedNano ?? 0,
      spentNano: row?.spentNano ?? 0,
      ownLimitNano: own?.limitNano,
    };
  });
}
