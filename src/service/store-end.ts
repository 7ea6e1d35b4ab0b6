import type { ContentBlock } from '../domain/content.js';
import type { EndedStatus, GenerationError, GenerationMetrics, Usage } from '../domain/generation.js';
import { updateGeneration, type GenerationRow } from '../store/generations.js';
import type { TerminalEventType } from '../wire/room-events.js';
import type { ServiceContext } from './service-context.js';
import { settle, writeLedger } from './settle.js';
import type { Work } from './work.js';

/** How a generation ended, and what it wrote. */
export interface Outcome {
  status: EndedStatus;
  stopReason: string | null;
  stopSequence?: string | null;
  error?: GenerationError | null;
  content: ContentBlock[];
  usage?: Usage | null;
  /** What it used is not all in `usage`, and nobody knows it any more. */
  lost?: boolean;
  metrics?: GenerationMetrics | null;
}

export const terminalEvent: Record<EndedStatus, TerminalEventType> = {
  completed: 'generation.completed',
  cancelled: 'generation.cancelled',
  failed: 'generation.failed',
};

/**
 * Stores a generation's end; its conversation or document is locked, and it has not ended before.
 *
 * Invariant: what has ended has nothing reserved (B3 in docs/decisions/0004).
 */
export async function storeEnd<R extends GenerationRow>(
  { budgets }: ServiceContext,
  work: Work,
  row: R,
  outcome: Outcome,
): Promise<R> {
  const { tx } = work;
  const { status, content, usage = row.usage, lost = false, metrics = row.metrics } = outcome;
  const settled = await settle(tx, budgets, row, { usage, lost });
  const ended = await updateGeneration(tx, row.id, {
    status,
    content,
    stopReason: outcome.stopReason,
    stopSequence: outcome.stopSequence ?? null,
    error: outcome.error ?? null,
    usage,
    metrics,
    ...settled,
    endedAt: new Date(),
  });
  await writeLedger(tx, ended);
  work.ended(ended);
  return { ...row, ...ended };
}
