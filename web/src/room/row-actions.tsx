import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import type { Message } from '../../../src/client/index.js';
import { Icon } from '../ui/icon.js';

/** What one may do with what was said. The same object for as long as the room is open. */
export interface LogActions {
  stop: (generationId: string) => void;
  /** Opens a message for editing; null closes it. */
  edit: (messageId: string | null) => void;
  /** Keeps an edit; a prompt is answered anew. Resolves with whether it worked. */
  save: (message: Message, content: string) => Promise<boolean>;
  /** Asks before it deletes. */
  remove: (message: Message) => void;
  /** Answers a message, or an answer's prompt, anew. */
  regenerate: (messageId: string) => void;
  continue: (generationId: string) => void;
}

/** In a row's head, in space that is theirs: there on hover and focus. */
export function RowActions({ children }: { children: ReactNode }) {
  return <span className="head-actions">{children}</span>;
}

interface ActionButtonProps {
  icon: LucideIcon;
  label: string;
  onClick: () => void;
}

export function ActionButton({ icon, label, onClick }: ActionButtonProps) {
  return (
    <button type="button" className="icon-button small" aria-label={label} title={label} onClick={onClick}>
      <Icon of={icon} size={14} />
    </button>
  );
}
