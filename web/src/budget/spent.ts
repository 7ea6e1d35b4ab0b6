import type { Budget } from '../../../src/client/index.js';

/** With less than this share of the limit no answer is to be had: even a refusal costs its input. */
const leastShare = 0.001;

/** Whether nothing worth asking with is left of a budget. */
export function isSpent({ spentUsd, reservedUsd, limitUsd }: Budget): boolean {
  return limitUsd !== null && limitUsd - spentUsd - reservedUsd <= limitUsd * leastShare;
}

/** When the budget of the next day begins, in ms since the epoch: days are those of UTC. */
export function nextDay(now: number): number {
  const day = new Date(now);
  return Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate() + 1);
}
