import { X } from 'lucide-react';
import type { User } from '../../../src/client/index.js';
import { Icon } from '../ui/icon.js';
import type { WaitingPrompt } from './timeline.js';

interface QueueProps {
  waiting: readonly WaitingPrompt[];
  user: User;
  onRemove: (generationId: string) => void;
}

/** The prompts that wait for their answers: numbered rings on the dotted line; one's own can be taken out. */
export function Queue({ waiting, user, onRemove }: QueueProps) {
  if (waiting.length === 0) return null;
  return (
    <li className="queue" data-testid="queue">
      {waiting.length > 1 && <p className="queue-words">{waiting.length} waiting, answered in this order</p>}
      <ol>
        {waiting.map(({ generation, prompt }, index) => {
          const isOwn = prompt?.author?.id === user.id;
          return (
            <li key={generation.id} className="queued" data-testid="waiting">
              <span className="ring">{index + 1}</span>
              <span className="queued-name">{isOwn ? 'You' : (prompt?.author?.name ?? 'Someone')}</span>
              <span className="queued-text">{prompt?.text}</span>
              {isOwn && (
                <button
                  type="button"
                  className="icon-button small"
                  aria-label="Remove from the line"
                  onClick={() => {
                    onRemove(generation.id);
                  }}
                >
                  <Icon of={X} size={14} />
                </button>
              )}
            </li>
          );
        })}
      </ol>
    </li>
  );
}
