import { useEffect, useMemo, useState } from 'react';
import { textOf } from '../../../src/client/index.js';
import { countWords } from '../lib/format.js';
import type { Timeline } from './timeline.js';

/** How many words came since the reader left the end. */
export function useNewWords(timeline: Timeline | null, atEnd: boolean): number {
  const words = useMemo(() => (atEnd || !timeline ? 0 : wordsOf(timeline)), [atEnd, timeline]);
  const [left, setLeft] = useState<{ words: number; oldest: string | undefined } | null>(null);
  const oldest = timeline?.items[0]?.id;
  useEffect(() => {
    // What comes from the history is not new: another beginning is another count.
    setLeft((before) => (atEnd ? null : before?.oldest === oldest ? before : { words, oldest }));
  }, [atEnd, words, oldest]);
  return left === null ? 0 : Math.max(0, words - left.words);
}

const wordsOf = ({ items }: Timeline): number =>
  items.reduce((sum, item) => {
    if (item.kind === 'message') return sum + countWords(item.message.text);
    return item.kind === 'writing' ? sum + countWords(textOf(item.generation.content)) : sum;
  }, 0);
