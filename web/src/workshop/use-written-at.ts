import { useEffect, useState } from 'react';
import type { LiveGeneration } from '../../../src/client/index.js';
import type { OutlineEntry } from '../highlight/outline.js';

export const entryKey = ({ label, line }: OutlineEntry): string => `${line} ${label}`;

/**
 * When the parts of an outline were begun, in ms after the start of the answer: of those that were seen to begin, since
 * nothing else tells. Kept for as long as the version is looked at.
 */
export function useWrittenAt(
  writing: LiveGeneration | null,
  entries: readonly OutlineEntry[],
): ReadonlyMap<string, number> {
  const [times, setTimes] = useState<ReadonlyMap<string, number>>(new Map());
  const pace = writing?.pace;
  const startedAt = writing?.startedAt;
  useEffect(() => {
    if (!pace?.fromStart || !startedAt) return;
    const ms = Math.max(0, Date.parse(pace.lastAt) - Date.parse(startedAt));
    setTimes((before) => {
      const begun = entries.map(entryKey).filter((key) => !before.has(key));
      return begun.length ? new Map([...before, ...begun.map((key) => [key, ms] as const)]) : before;
    });
  }, [entries, pace, startedAt]);
  return times;
}
