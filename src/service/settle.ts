import { cacheSavingOf, costOf, tokenPrice, toUsd } from '../domain/cost.js';
import type { GenerationBudget, Usage } from '../domain/generation.js';
import { moveBudgets } from '../store/budgets.js';
import type { Transaction } from '../store/database.js';
import { updateGeneration, type GenerationRow } from '../store/generations.js';
import { insertLedgerEntry } from '../store/ledger.js';
import { budgetsOf, generationBudget, openBudgets, readBudgets, type BudgetLimits } from './budget.js';
import { spentWith } from './reserve.js';

/**
 * What becomes of a reservation (B3 to B5 in docs/decisions/0004). The generation and its conversation are locked; what
 * is returned is to be stored with the generation, in the same transaction.
 */

type Money = Pick<GenerationRow, 'reservedNano' | 'spentNano' | 'lostNano'>;

interface Used {
  usage: Usage | null;
  /** A call's usage is not in `usage`, and nobody knows it any more: it counts as what was reserved for it. */
  lost: boolean;
}

/** Ends what is reserved for a generation: what it has cost is spent, the rest is free again. */
export async function settle(
  tx: Transaction,
  limits: BudgetLimits,
  row: GenerationRow,
  { usage, lost }: Used,
): Promise<Money & { costUsd: number | null; budget: GenerationBudget | null }> {
  const keys = budgetsOf(row);
  const spentNano = lost ? row.spentNano + row.reservedNano : spentWith(row, usage);
  const moved = { reservedNano: -row.reservedNano, spentNano: spentNano - row.spentNano };
  const costs = moved.reservedNano !== 0 || moved.spentNano !== 0;
  const budgets = costs ? await openBudgets(tx, limits, keys) : await readBudgets(tx, limits, keys);
  await moveBudgets(tx, keys, moved);
  const after = budgets.map((budget) => ({
    ...budget,
    reservedNano: budget.reservedNano + moved.reservedNano,
    spentNano: budget.spentNano + moved.spentNano,
  }));
  return {
    reservedNano: 0,
    spentNano,
    lostNano: row.lostNano,
    costUsd: usage || spentNano > 0 ? toUsd(spentNano) : null,
    budget: generationBudget(after),
  };
}

/** Counts a call that was lost with its worker as what was reserved for it. */
export async function writeOff(tx: Transaction, row: GenerationRow): Promise<GenerationRow> {
  const spentNano = row.spentNano + row.reservedNano;
  const lostNano = spentNano - costOf(tokenPrice(row.model), row.usage ?? noUsage);
  return move(tx, row, { reservedNano: 0, spentNano, lostNano: Math.max(row.lostNano, lostNano) });
}

/** Counts what was used so far; the rest stays reserved for who goes on with it. */
export async function settleSoFar(tx: Transaction, row: GenerationRow, usage: Usage): Promise<GenerationRow> {
  const spentNano = spentWith(row, usage);
  const reservedNano = Math.max(0, row.reservedNano - (spentNano - row.spentNano));
  return move(tx, row, { reservedNano, spentNano, lostNano: row.lostNano });
}

async function move(tx: Transaction, row: GenerationRow, money: Money): Promise<GenerationRow> {
  await moveBudgets(tx, budgetsOf(row), {
    reservedNano: money.reservedNano - row.reservedNano,
    spentNano: money.spentNano - row.spentNano,
  });
  return updateGeneration(tx, row.id, money);
}

/** Writes down what a generation that was started has used; of another there is nothing to say. */
export async function writeLedger(tx: Transaction, row: GenerationRow): Promise<void> {
  if (!row.startedAt) return;
  const used = row.usage ?? noUsage;
  await insertLedgerEntry(tx, {
    generationId: row.id,
    userId: row.userId,
    conversationId: row.conversationId,
    documentId: row.documentId,
    day: row.budgetDay,
    model: row.model,
    ...used,
    costNano: row.spentNano,
    cacheSavedNano: cacheSavingOf(tokenPrice(row.model), used),
    firstTokenMs: row.cached ? null : (row.metrics?.firstTokenMs ?? null),
  });
}

/** Nothing used. */
const noUsage: Usage = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadInputTokens: 0,
  cacheCreationInputTokens: 0,
};
