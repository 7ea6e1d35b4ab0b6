import { QueryClientProvider } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useSyncExternalStore } from 'react';
import { Dialogs } from './dialogs.js';
import { usePageKeys } from './keys/use-page-keys.js';
import { useMedia } from './lib/use-media.js';
import { startIdleWork } from './lib/when-idle.js';
import { Home } from './room/home.js';
import { Room } from './room/room.js';
import type { User } from '../../src/client/index.js';
import { Link, useRoute } from './router.js';
import { noticeRefusal, queryClient, renewSession, session } from './services.js';
import type { StoredSession } from './session/session-store.js';
import { drawer } from './sidebar/drawer.js';
import { OwnListsProvider } from './sidebar/own-lists.js';
import { Rail } from './sidebar/rail.js';
import { folded } from './sidebar/sidebar-fold.js';
import { Sidebar } from './sidebar/sidebar.js';
import { LoadBoundary } from './ui/load-boundary.js';
import { Notice } from './ui/notice.js';
import { Toasts } from './ui/toasts.js';

const Documents = lazy(() => import('./documents/documents.js'));
const InvitePage = lazy(() => import('./room/invite-page.js'));
const NameDialog = lazy(() => import('./session/name-dialog.js'));
const SidebarDrawer = lazy(() => import('./sidebar/sidebar-drawer.js'));
const Usage = lazy(() => import('./usage/usage.js'));
const Workshop = lazy(() => import('./workshop/workshop.js'));

export function App() {
  const current = useSyncExternalStore(session.subscribe, session.get);
  useFreshToken(current);
  return (
    <QueryClientProvider client={queryClient}>
      <LoadBoundary fallback={<NotLoaded />}>
        {current && <Shell key={current.user.id} current={current} />}
        <Suspense>{current === null && <NameDialog />}</Suspense>
      </LoadBoundary>
      <Toasts />
    </QueryClientProvider>
  );
}

function Shell({ current }: { current: StoredSession }) {
  const route = useRoute();
  useEffect(startIdleWork, []);
  return (
    <OwnListsProvider userId={current.user.id}>
      <div className="shell">
        <Side user={current.user} />
        <Drawer user={current.user} />
        <main className="main">
          <LoadBoundary key={route.page} fallback={<NotLoaded />}>
            <Page current={current} />
          </LoadBoundary>
        </main>
      </div>
      <Dialogs />
      <PageKeys />
    </OwnListsProvider>
  );
}

/** Where a part of the page could not be had. */
function NotLoaded() {
  return (
    <Notice title="This could not be loaded">
      <p>The connection may be away, or a newer version of the page is out.</p>
      <button
        type="button"
        className="button"
        onClick={() => {
          location.reload();
        }}
      >
        Load the page anew
      </button>
    </Notice>
  );
}

/** The sidebar over the page: loaded where there may be no room for it beside, or when it is asked for. */
function Drawer({ user }: { user: User }) {
  const hasNoRoom = useMedia('(max-width: 899px)');
  const isOpen = useSyncExternalStore(drawer.subscribe, drawer.get);
  return <Suspense>{(hasNoRoom || isOpen) && <SidebarDrawer user={user} />}</Suspense>;
}

/** From which width there is room for the whole sidebar beside a page; documents have columns of their own. */
const sidebarNeeds = { documents: '(min-width: 1360px)', others: '(min-width: 900px)' };

/** Whole where there is room, a rail on tablets and in the workshop, on phones behind a button. */
function Side({ user }: { user: User }) {
  const { page } = useRoute();
  const isFolded = useSyncExternalStore(folded.subscribe, folded.get);
  const needs = page === 'documents' ? sidebarNeeds.documents : sidebarNeeds.others;
  const hasRoom = useMedia(needs) && page !== 'workshop';
  const isPhone = useMedia('(max-width: 599px)');
  if (isPhone) return null;
  return hasRoom && !isFolded ? <Sidebar user={user} /> : <Rail user={user} mayUnfold={hasRoom} />;
}

function PageKeys() {
  usePageKeys();
  return null;
}

function Page({ current }: { current: StoredSession }) {
  const route = useRoute();
  switch (route.page) {
    case 'home':
      return <Home user={current.user} />;
    case 'room':
      return <Room key={route.conversationId} conversationId={route.conversationId} user={current.user} />;
    case 'workshop':
      return (
        <Suspense>
          <Workshop key={route.conversationId} conversationId={route.conversationId} user={current.user} />
        </Suspense>
      );
    case 'documents':
      return (
        <Suspense>
          <Documents documentId={route.documentId} user={current.user} />
        </Suspense>
      );
    case 'usage':
      return (
        <Suspense>
          <Usage />
        </Suspense>
      );
    case 'invite':
      return (
        <Suspense>
          <InvitePage key={route.token} token={route.token} />
        </Suspense>
      );
    case 'unknown':
      return (
        <Notice title="There is no such page">
          <Link href="/">Start a conversation</Link>
        </Notice>
      );
  }
}

/** Renews a token that is older than a day, when the page opens or somebody comes back to it. */
function useFreshToken(current: StoredSession | null): void {
  const token = current?.token;
  useEffect(() => {
    if (token === undefined) return;
    const renew = () => {
      if (!document.hidden && session.isStale()) renewSession().catch(noticeRefusal);
    };
    renew();
    document.addEventListener('visibilitychange', renew);
    return () => {
      document.removeEventListener('visibilitychange', renew);
    };
  }, [token]);
}
