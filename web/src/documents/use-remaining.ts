import { useMemo } from 'react';
import { hasDocumentEnded, type DocumentHead } from '../../../src/client/index.js';
import { useNow } from '../lib/use-now.js';

/** How long a document still takes, counted down from what was last heard of it; null: not known. */
export function useRemaining({
  status,
  progress: { remainingMs, percent },
}: Pick<DocumentHead, 'status' | 'progress'>): number | null {
  // The same words may be told twice: what counts is when they were new.
  const heardAt = useMemo(() => Date.now(), [remainingMs, percent]);
  const runs = remainingMs !== null && !hasDocumentEnded(status);
  const now = useNow(runs, 1000);
  return runs ? Math.max(1000, remainingMs - Math.max(0, now - heardAt)) : null;
}
