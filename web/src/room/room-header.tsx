import { ChevronDown, Ellipsis } from 'lucide-react';
import type { ReactNode } from 'react';
import type { ConversationView } from '../../../src/client/index.js';
import { ConversationMenu } from '../conversation/conversation-menu.js';
import { DrawerButton } from '../sidebar/drawer-button.js';
import { Icon } from '../ui/icon.js';

interface RoomHeaderProps {
  title: string;
  /** Null before it is known, and where it is yet to be. */
  conversation?: ConversationView | null;
  /** Whether the title's menu is the only one: there is no room for another. */
  narrow?: boolean;
  children?: ReactNode;
}

export function RoomHeader({ title, conversation = null, narrow = false, children }: RoomHeaderProps) {
  return (
    <header className="room-header">
      <DrawerButton />
      <h1>
        {conversation ? (
          <ConversationMenu
            conversation={conversation}
            align="start"
            trigger={
              <button type="button" className="title-button">
                <span>{title}</span>
                <Icon of={ChevronDown} size={14} />
              </button>
            }
          />
        ) : (
          <span>{title}</span>
        )}
      </h1>
      {children}
      {conversation && !narrow && (
        <ConversationMenu
          conversation={conversation}
          ofRoom
          trigger={
            <button type="button" className="icon-button" aria-label="More">
              <Icon of={Ellipsis} />
            </button>
          }
        />
      )}
    </header>
  );
}
