import { createContext, use, useCallback, useEffect, useMemo, type ReactNode } from 'react';
import {
  watchUser,
  type ConnectionState,
  type ConversationView,
  type DocumentHead,
} from '../../../src/client/index.js';
import { useWatched } from '../lib/use-watched.js';
import { getToken, renewSession } from '../services.js';

interface OwnLists {
  /** The last changed first; null until they are known. */
  conversations: readonly ConversationView[] | null;
  /** The newest first; null until they are known. */
  documents: readonly DocumentHead[] | null;
  connection: ConnectionState;
  reconnect: () => void;
  /** For what no event tells: what was deleted, left or joined here, or elsewhere while the page was not looked at. */
  refresh: () => void;
}

const OwnListsContext = createContext<OwnLists>({
  conversations: null,
  documents: null,
  connection: { state: 'connecting' },
  reconnect: () => undefined,
  refresh: () => undefined,
});

/** The user's own lists, live. */
export const useOwnLists = (): OwnLists => use(OwnListsContext);

/** Watches `user:<id>` for all below. */
export function OwnListsProvider({ userId, children }: { userId: string; children: ReactNode }) {
  const { view, watched } = useWatched(
    useCallback(() => watchUser(userId, { getToken, renewToken: renewSession }), [userId]),
  );
  const { connection } = view;
  const { conversations = null, documents = null } = view.room ?? {};
  useEffect(() => {
    const look = () => {
      if (!document.hidden) watched?.refresh();
    };
    document.addEventListener('visibilitychange', look);
    return () => {
      document.removeEventListener('visibilitychange', look);
    };
  }, [watched]);
  const lists = useMemo(
    () => ({
      conversations,
      documents,
      connection,
      reconnect: () => watched?.reconnect(),
      refresh: () => watched?.refresh(),
    }),
    [conversations, documents, connection, watched],
  );
  return <OwnListsContext value={lists}>{children}</OwnListsContext>;
}
