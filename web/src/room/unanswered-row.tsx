import { RotateCcw } from 'lucide-react';
import { memo } from 'react';
import type { EndedGeneration, User } from '../../../src/client/index.js';
import { AssistantAvatar } from '../ui/avatar.js';
import { Icon } from '../ui/icon.js';
import { EndWords } from './end-words.js';
import { RowHead } from './message-row.js';
import type { LogActions } from './row-actions.js';
import { assistantName, ToWhom } from './to-whom.js';
import { lastingWarnings, Warnings } from './warnings.js';

interface UnansweredRowProps {
  generation: EndedGeneration;
  to: User | null;
  mayAsk: boolean;
  actions: LogActions;
}

/** An answer that ended before it had a word. */
export const UnansweredRow = memo(function UnansweredRow(props: UnansweredRowProps) {
  const { generation, to, mayAsk, actions } = props;
  const { promptId } = generation;
  const offersAgain = mayAsk && promptId !== null;
  return (
    <li className="row" data-testid="answer" data-state="unanswered">
      <AssistantAvatar writing={false} />
      <div className="row-body">
        <span className="line capped" data-cap={generation.status === 'failed' ? 'failed' : 'stopped'} />
        <RowHead name={assistantName} {...(generation.endedAt ? { at: generation.endedAt } : {})}>
          <ToWhom to={to} />
        </RowHead>
        <Warnings warnings={lastingWarnings(generation.warnings)} />
        <EndWords end={generation} empty />
      </div>
      {offersAgain && (
        <div className="row-actions">
          <button
            type="button"
            className="button small"
            onClick={() => {
              actions.regenerate(promptId);
            }}
          >
            <Icon of={RotateCcw} size={14} />
            Ask again
          </button>
        </div>
      )}
    </li>
  );
});
