import { z } from 'zod';

/** What has been spent of a budget, what is held for answers that are not there yet, and what limits it. */
export interface BudgetView {
  spentUsd: number;
  reservedUsd: number;
  /** Null: nothing does. */
  limitUsd: number | null;
}

/** Limits a budget; null: no limit, whatever the setting says. */
export const budgetLimitBody = z.strictObject({
  limitUsd: z.number().min(0).max(1_000_000).nullable(),
});
