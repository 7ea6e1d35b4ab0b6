import { useQuery } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';
import { modelsQuery } from '../conversation/models-query.js';
import { usd } from '../lib/format.js';
import type { Outbox } from '../room/outbox.js';
import { isSpent } from './spent.js';
import { useBudget } from './use-budget.js';

/**
 * Why nothing can be asked in a room for want of money; null: it can. Known from one's budget, where the model of the
 * room has a price, and from a question that was refused for it and is still here.
 */
export function useSpentWords(outbox: Outbox, model: string | null): string | null {
  const budget = useBudget();
  const pending = useSyncExternalStore(outbox.subscribe, outbox.get);
  const { data } = useQuery(modelsQuery);
  const hasPrice = data?.items.some(({ id, pricing }) => id === model && pricing !== null) ?? false;
  const refused = pending.find(({ problem }) => problem?.code === 'budget_exceeded');
  const { limitUsd } = budget ?? { limitUsd: null };
  if (budget && limitUsd !== null && isSpent(budget) && (hasPrice || refused))
    return `Your ${usd(limitUsd)} for today is spent.`;
  return refused?.problem?.words ?? null;
}
