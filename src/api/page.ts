import type { Page } from '../wire/http.js';

/** A page of a list whose last item is its oldest. `found`: one more than `limit` when there are more. */
export function pageOf<T extends { id: string }>(found: readonly T[], limit: number): Page<T> {
  const items = found.slice(0, limit);
  return { items, nextBefore: found.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/** The same for a list whose first item is its oldest. */
export function pageOfTurns<T extends { id: string }>(found: readonly T[], limit: number): Page<T> {
  const items = found.slice(-limit);
  return { items, nextBefore: found.length > limit ? (items[0]?.id ?? null) : null };
}
