import { CircleAlert } from 'lucide-react';
import type { GenerationHead } from '../../../src/client/index.js';
import { seconds } from '../lib/format.js';
import { Icon } from '../ui/icon.js';

/** How an answer ended, in words: every state of the line is also told. */
export function EndWords({ end, empty = false }: { end: GenerationHead | null; empty?: boolean }) {
  if (end?.status === 'failed') {
    return (
      <p className="end-words problem">
        <Icon of={CircleAlert} />
        {end.error?.message ?? 'The answer failed.'}
      </p>
    );
  }
  if (end?.status === 'completed' && empty) return <p className="end-words">Ended without a word</p>;
  const durationMs = end?.metrics.durationMs ?? null;
  const kept = empty ? 'before the first word' : 'text kept';
  return (
    <p className="end-words">
      {durationMs === null ? `Stopped, ${kept}` : `Stopped after ${seconds(durationMs)}, ${kept}`}
    </p>
  );
}
