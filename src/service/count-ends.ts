import { Counter, type Registry } from 'prom-client';
import type { GenerationEnd } from './generation-end.js';

/** Counts the generations that this process has ended, by status and reason. */
export function countEnds(registry: Registry): (end: GenerationEnd) => void {
  const ends = new Counter({
    name: 'tokencast_generations_ended_total',
    help: 'Generations whose end this process has stored.',
    labelNames: ['status', 'reason'],
    registers: [registry],
  });
  return ({ status, reason }) => {
    ends.inc({ status, reason });
  };
}
