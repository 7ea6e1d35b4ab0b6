import { MessagesSquare } from 'lucide-react';
import type { User } from '../../../src/client/index.js';
import { conversationOf, Link, useRoute } from '../router.js';
import { Avatar } from '../ui/avatar.js';
import { BrandMark } from '../ui/brand-mark.js';
import { Icon } from '../ui/icon.js';
import { documentsPercent } from './documents-percent.js';
import { drawer } from './drawer.js';
import { FoldButton } from './fold-button.js';
import { useOwnLists } from './own-lists.js';
import { places } from './places.js';
import { UserMenu } from './user-menu.js';

/** The sidebar in one column of icons. `mayUnfold`: there is room for the whole of it. */
export function Rail({ user, mayUnfold }: { user: User; mayUnfold: boolean }) {
  const { page } = useRoute();
  const percent = documentsPercent(useOwnLists().documents);
  return (
    <aside className="sidebar rail" aria-label="Sidebar">
      <Link className="rail-brand" href="/" aria-label="New conversation" title="New conversation">
        <BrandMark />
      </Link>
      {mayUnfold && <FoldButton className="rail-place" fold={false} />}
      <ConversationsButton current={page === 'room' || page === 'home'} />
      <nav aria-label="Places">
        {places.map(({ page: to, path, name, icon }) => {
          const running = to === 'documents' ? percent : null;
          return (
            <Link
              key={to}
              className="rail-place"
              href={path}
              aria-label={running === null ? name : `${name}: ${running} %`}
              title={name}
              aria-current={page === to ? 'page' : undefined}
              data-live={running !== null}
            >
              <Icon of={icon} />
            </Link>
          );
        })}
      </nav>
      <UserMenu
        trigger={
          <button
            type="button"
            className="rail-user"
            aria-label={`${user.name}: settings`}
            title="Settings"
            data-testid="current-user"
          >
            <Avatar user={user} />
          </button>
        }
      />
    </aside>
  );
}

/** Opens the list; a green bar while something runs in one of them, a dot while something is unread. */
function ConversationsButton({ current }: { current: boolean }) {
  const { conversations } = useOwnLists();
  const open = conversationOf(useRoute());
  const isLive = conversations?.some(({ running }) => running > 0) ?? false;
  const isUnread = conversations?.some(({ id, unread }) => unread > 0 && id !== open) ?? false;
  const marks = [isLive && 'live', isUnread && 'unread'].filter(Boolean).join(', ');
  return (
    <button
      type="button"
      className="rail-place"
      aria-label={marks ? `Conversations: ${marks}` : 'Conversations'}
      title="Conversations"
      data-current={current}
      data-live={isLive}
      data-unread={isUnread && !isLive}
      onClick={() => {
        drawer.set(true);
      }}
    >
      <Icon of={MessagesSquare} />
    </button>
  );
}
