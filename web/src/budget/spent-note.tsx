import { Gauge } from 'lucide-react';
import { timeLeft } from '../lib/format.js';
import { useNow } from '../lib/use-now.js';
import { Icon } from '../ui/icon.js';
import { nextDay } from './spent.js';

const minuteMs = 60_000;

/** Says that there is nothing left to ask with, until when, and what still works. */
export function SpentNote({ words }: { words: string }) {
  const now = useNow(true, minuteMs);
  return (
    <div className="spent-note" role="status" data-testid="spent-note">
      <Icon of={Gauge} />
      <p className="spent-words">{words}</p>
      <p>Ask again after 00:00 UTC, in {timeLeft(nextDay(now) - now)}. Remarks to people cost nothing.</p>
      <span className="spent-bar" aria-hidden />
    </div>
  );
}
