import { Counter, Histogram, type Registry } from 'prom-client';
import type { GenerationRow } from '../store/generations.js';
import { endOf } from './generation-end.js';

/** Measures the generations that this process has ended: how, how long, and what they have used. */
export function measureEnds(registry: Registry): (ended: GenerationRow) => void {
  const registers = [registry];
  const ends = new Counter({
    name: 'tokencast_generations_ended_total',
    help: 'Generations whose end this process has stored.',
    labelNames: ['status', 'reason'],
    registers,
  });
  const durations = new Histogram({
    name: 'tokencast_generation_duration_seconds',
    help: 'From the first start of a generation to its end, over all attempts.',
    labelNames: ['provider', 'status'],
    buckets: [0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600],
    registers,
  });
  const cancels = new Histogram({
    name: 'tokencast_cancel_seconds',
    help: 'From the wish to cancel a generation that runs to its end.',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  const tokens = new Counter({
    name: 'tokencast_tokens_total',
    help: 'Tokens that ended generations have used, by kind.',
    labelNames: ['provider', 'kind'],
    registers,
  });
  const cost = new Counter({
    name: 'tokencast_cost_usd_total',
    help: 'What ended generations have cost, in US dollars.',
    labelNames: ['provider'],
    registers,
  });
  return (row) => {
    const { provider, usage, costUsd, cancelRequestedAt, startedAt, endedAt } = row;
    const { status, reason, elapsedMs } = endOf(row);
    ends.inc({ status, reason });
    if (startedAt) durations.observe({ provider, status }, Math.max(0, elapsedMs) / 1000);
    if (status === 'cancelled' && cancelRequestedAt && endedAt)
      cancels.observe(Math.max(0, endedAt.getTime() - cancelRequestedAt.getTime()) / 1000);
    if (usage) {
      tokens.inc({ provider, kind: 'input' }, usage.inputTokens);
      tokens.inc({ provider, kind: 'output' }, usage.outputTokens);
      tokens.inc({ provider, kind: 'cache_read' }, usage.cacheReadInputTokens);
      tokens.inc({ provider, kind: 'cache_creation' }, usage.cacheCreationInputTokens);
    }
    if (costUsd !== null) cost.inc({ provider }, costUsd);
  };
}
