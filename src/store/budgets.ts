import { and, eq, or, sql, type SQL } from 'drizzle-orm';
import type { NanoUsd } from '../domain/cost.js';
import { together } from '../lib/together.js';
import type { Executor, Transaction } from './database.js';
import { prepared } from './prepared.js';
import { writeTogether, type ValueOf, type Write } from './write-together.js';
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

const byName = (a: BudgetKey, b: BudgetKey) => (nameOf(a) < nameOf(b) ? -1 : 1);

const is = ({ scope, subject, period }: BudgetKey | Slot) =>
  and(eq(budgets.scope, scope), eq(budgets.subject, subject), eq(budgets.period, period));

/** A statement about so many budgets, built once for each number of them; see {@link valuesOf}. */
function about<Statement>(build: (db: Executor, isOneOf: SQL | undefined, keys: Slot[]) => Statement) {
  const bySize = new Map<number, (db: Executor) => Statement>();
  return (db: Executor, { length }: readonly BudgetKey[]): Statement => {
    let statement = bySize.get(length);
    if (!statement) {
      const slots = Array.from({ length }, (_, n) => slot(n));
      statement = prepared((executor) => build(executor, or(...slots.map(is)), slots));
      bySize.set(length, statement);
    }
    return statement(db);
  };
}

/** Where the nth key's parts go. */
const slot = (n: number, value: ValueOf = sql.placeholder) => ({
  scope: value(`scope${n}`),
  subject: value(`subject${n}`),
  period: value(`period${n}`),
});
type Slot = ReturnType<typeof slot>;

/** The keys, for the slots of a statement. */
const valuesOf = (keys: readonly BudgetKey[]): Record<string, string> =>
  Object.fromEntries(
    keys.flatMap(({ scope, subject, period }, n) => [
      [`scope${n}`, scope],
      [`subject${n}`, subject],
      [`period${n}`, period],
    ]),
  );

const read = about((db, isOneOf, { length }) =>
  db.select().from(budgets).where(isOneOf).prepare(`budgets_${length}`),
);

const readLimits = about((db, _, keys) =>
  db
    .select()
    .from(budgetLimits)
    .where(
      or(
        ...keys.map(({ scope, subject }) =>
          and(eq(budgetLimits.scope, scope), eq(budgetLimits.subject, subject)),
        ),
      ),
    )
    .prepare(`budget_limits_${keys.length}`),
);

type Amounts = typeof budgets.$inferSelect;
type Limit = typeof budgetLimits.$inferSelect;
type Select = (
  db: Executor,
  keys: readonly BudgetKey[],
) => { execute: (values: Record<string, string>) => Promise<Amounts[]> };

/**
 * Selects budgets, and behind them, in the same round trip, their limits. Not in one statement: where that waits for a
 * lock it sees the rows that it has waited for, but what is joined to them as it was before.
 */
function withLimits(db: Executor, keys: readonly BudgetKey[], select: Select): Promise<[Amounts[], Limit[]]> {
  const values = valuesOf(keys);
  return together([select(db, keys).execute(values), readLimits(db, keys).execute(values)]);
}

const rowOf = (
  key: BudgetKey,
  { reservedNano, spentNano }: Spending,
  limits: readonly Limit[],
): BudgetRow => {
  const own = limits.find(({ scope, subject }) => scope === key.scope && subject === key.subject);
  return { ...key, reservedNano, spentNano, ownLimitNano: own?.limitNano };
};
type Spending = Pick<BudgetRow, 'reservedNano' | 'spentNano'>;
const nothing: Spending = { reservedNano: 0, spentNano: 0 };

/** What there is of these budgets, in the order of the keys. */
export async function findBudgets(db: Executor, keys: readonly BudgetKey[]): Promise<BudgetRow[]> {
  const [found, limits] = await withLimits(db, keys, read);
  const there = new Map(found.map((row) => [nameOf(row), row]));
  return keys.map((key) => rowOf(key, there.get(nameOf(key)) ?? nothing, limits));
}

const lock = about((db, isOneOf, { length }) =>
  db
    .select()
    .from(budgets)
    .where(isOneOf)
    .orderBy(budgets.scope, budgets.period, budgets.subject)
    .for('no key update')
    .prepare(`lock_budgets_${length}`),
);

/**
 * Locks these budgets until the end of the transaction, and makes those that are not there yet. Its generations'
 * conversation is locked before, and with it its budget; see the order of locks in docs/decisions/0004.
 */
export async function lockBudgets(tx: Transaction, keys: readonly BudgetKey[]): Promise<BudgetRow[]> {
  if (keys.length === 0) return [];
  const distinct = [...new Map(keys.map((key) => [nameOf(key), key])).values()];
  const make = () => tx.insert(budgets).values(distinct.toSorted(byName)).onConflictDoNothing();
  const find = () => withLimits(tx, distinct, lock);
  // Several users' are made first: who holds one must not come to wait for one that sorts before it.
  if (distinct.filter(({ scope }) => scope === 'user').length > 1) await make();
  let [found, limits] = await find();
  if (found.length < distinct.length) {
    await make();
    [found, limits] = await find();
  }
  const locked = new Map(found.map((row) => [nameOf(row), row]));
  return keys.map((key) => {
    const row = locked.get(nameOf(key));
    if (!row) throw new Error(`the budget ${nameOf(key)} has vanished while it was being locked`);
    return rowOf(key, row, limits);
  });
}

/** Adds to what is reserved of these budgets, and makes those that are not there yet; the keys are in the order of locks. */
export const reservedWrite = (keys: readonly BudgetKey[], reservedNano: NanoUsd): Write => ({
  kind: `${keys.length} reserved`,
  build: (db, value) => {
    const added = sql`${value('reservedNano')}::bigint`;
    return db
      .insert(budgets)
      .values(keys.map((_, n) => ({ ...slot(n, value), reservedNano: added })))
      .onConflictDoUpdate({
        target: [budgets.scope, budgets.subject, budgets.period],
        set: { reservedNano: sql`${budgets.reservedNano} + excluded.reserved_nano` },
      });
  },
  values: { ...valuesOf(keys), reservedNano },
});

/** Adds to what is reserved and spent of these budgets, which are locked. */
const budgetsWrite = (
  keys: readonly BudgetKey[],
  added: { reservedNano: NanoUsd; spentNano: NanoUsd },
): Write => ({
  kind: `${keys.length} budgets`,
  build: (db, value) =>
    db
      .update(budgets)
      .set({
        reservedNano: sql`${budgets.reservedNano} + ${value('reservedNano')}::bigint`,
        spentNano: sql`${budgets.spentNano} + ${value('spentNano')}::bigint`,
      })
      .where(or(...keys.map((_, n) => is(slot(n, value))))),
  values: { ...valuesOf(keys), ...added },
});

/** Does so. */
export async function moveBudgets(
  tx: Transaction,
  keys: readonly BudgetKey[],
  added: { reservedNano: NanoUsd; spentNano: NanoUsd },
): Promise<void> {
  if (added.reservedNano !== 0 || added.spentNano !== 0) await writeTogether(tx, [budgetsWrite(keys, added)]);
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
