import { textOf } from '../domain/content.js';
import { hasEnded, type EndedStatus } from '../domain/generation.js';
import type { GenerationRow } from '../store/generations.js';

/** How a generation ended, for logs and metrics: never what it wrote. */
export interface GenerationEnd {
  generationId: string;
  conversationId?: string;
  documentId?: string;
  attempt: number;
  status: EndedStatus;
  /** The error's code, or why it stopped. */
  reason: string;
  chunks: number;
  characters: number;
  /** Since its first start; 0: it was never started. */
  elapsedMs: number;
}

/** What a generation belongs to, as logs say it. */
export const placeOf = ({
  conversationId,
  documentId,
}: Pick<GenerationRow, 'conversationId' | 'documentId'>): {
  conversationId?: string;
  documentId?: string;
} => ({
  ...(conversationId !== null && { conversationId }),
  ...(documentId !== null && { documentId }),
});

export function endOf(row: GenerationRow): GenerationEnd {
  const { id, attempt, status, error, stopReason, metrics, startedAt, endedAt } = row;
  if (!hasEnded(status)) throw new Error(`generation ${id} has not ended`);
  return {
    generationId: id,
    ...placeOf(row),
    attempt,
    status,
    reason: error?.code ?? stopReason ?? 'none',
    chunks: metrics?.chunks ?? 0,
    characters: metrics?.characters ?? textOf(row.content).length,
    elapsedMs: startedAt && endedAt ? endedAt.getTime() - startedAt.getTime() : 0,
  };
}
