import type { ConversationView } from '../../../src/client/index.js';
import { inWords } from '../lib/format.js';

/** What happens to the answers that are under way in a conversation when its messages go. */
export function runningWords({ running }: ConversationView): string {
  if (running === 0) return '';
  return running === 1
    ? ' One running answer is stopped.'
    : ` ${inWords(running, true)} answers in progress or in line are stopped.`;
}
