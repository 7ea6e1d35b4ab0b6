import { Ellipsis } from 'lucide-react';
import type { ConversationView } from '../../../src/client/index.js';
import { ConversationMenu } from '../conversation/conversation-menu.js';
import { dayLabel, shortTime } from '../lib/format.js';
import { Link, roomPath } from '../router.js';
import { Icon } from '../ui/icon.js';

interface ConversationItemProps {
  conversation: ConversationView;
  /** Whether it is the open one: that is being read. */
  current: boolean;
  onOpen?: () => void;
}

/** A conversation of the list: a green bar while something runs in it, a count of what is unread. */
export function ConversationItem({ conversation, current, onOpen }: ConversationItemProps) {
  const { id, title, running, unread, updatedAt } = conversation;
  const isLive = running > 0;
  const isUnread = unread > 0 && !current;
  const name = title ?? 'Untitled';
  return (
    <li className="conversation-item" data-testid="conversation">
      <Link
        className="conversation-link"
        href={roomPath(id)}
        aria-current={current ? 'page' : undefined}
        data-live={isLive}
        data-unread={isUnread}
        onClick={onOpen}
      >
        <span className="conversation-title">{name}</span>
        <span className="conversation-mark">
          {isLive ? (
            <span className="live-word">live</span>
          ) : isUnread ? (
            <span className="unread" data-testid="unread" aria-label={`${unread} unread`}>
              {unread > 99 ? '99+' : unread}
            </span>
          ) : (
            dayLabel(updatedAt) === 'Today' && <time dateTime={updatedAt}>{shortTime(updatedAt)}</time>
          )}
        </span>
      </Link>
      <ConversationMenu
        conversation={conversation}
        trigger={
          <button type="button" className="icon-button small" aria-label={`More about ${name}`}>
            <Icon of={Ellipsis} size={14} />
          </button>
        }
      />
    </li>
  );
}
