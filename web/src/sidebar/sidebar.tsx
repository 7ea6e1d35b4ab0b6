import { SquarePen } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import type { User } from '../../../src/client/index.js';
import { Link, useRoute } from '../router.js';
import { BrandMark } from '../ui/brand-mark.js';
import { Icon } from '../ui/icon.js';
import { ConversationList } from './conversation-list.js';
import { documentsPercent } from './documents-percent.js';
import { drawer } from './drawer.js';
import { FoldButton } from './fold-button.js';
import { useOwnLists } from './own-lists.js';
import { places } from './places.js';
import { SearchField, SearchResults } from './search.js';
import { UserFoot } from './user-foot.js';

export function Sidebar({ user }: { user: User }) {
  return (
    <aside className="sidebar" aria-label="Sidebar">
      <SidebarContent user={user}>
        <FoldButton className="icon-button" fold />
      </SidebarContent>
    </aside>
  );
}

/** What is in the sidebar, wherever it stands. */
export function SidebarContent({ user, children }: { user: User; children?: ReactNode }) {
  const [search, setSearch] = useState('');
  const { page } = useRoute();
  return (
    <>
      <div className="sidebar-head">
        <Link className="brand" href="/">
          <BrandMark />
          tokencast
        </Link>
        {children}
        <Link
          className="icon-button"
          href="/"
          aria-label="New conversation"
          title="New conversation"
          onClick={() => {
            drawer.set(false);
          }}
        >
          <Icon of={SquarePen} />
        </Link>
      </div>
      <SearchField value={search} onChange={setSearch} />
      <nav className="places" aria-label="Places">
        {places.map(({ page: to, path, name, icon }) => (
          <Link key={to} className="place" href={path} aria-current={page === to ? 'page' : undefined}>
            <Icon of={icon} />
            {name} {to === 'documents' && <DocumentsMark />}
          </Link>
        ))}
      </nav>
      <nav className="conversations" aria-label="Conversations">
        {search.trim() ? (
          <SearchResults
            query={search.trim()}
            onOpen={() => {
              setSearch('');
            }}
          />
        ) : (
          <ConversationList />
        )}
      </nav>
      <UserFoot user={user} />
    </>
  );
}

/** How far the documents are that are being analysed. */
function DocumentsMark() {
  const percent = documentsPercent(useOwnLists().documents);
  return percent === null ? null : <span className="place-mark">{percent} %</span>;
}
