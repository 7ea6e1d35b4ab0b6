import { useCallback, useEffect } from 'react';
import {
  watchDocument,
  type ConnectionState,
  type DocumentState,
  type TokencastError,
} from '../../../src/client/index.js';
import { useWatched } from '../lib/use-watched.js';
import { getToken, noticeRefusal, renewSession } from '../services.js';
import { useOwnLists } from '../sidebar/own-lists.js';

interface WatchedDocument {
  /** Null until it is known. */
  state: DocumentState | null;
  connection: ConnectionState;
  reconnect: () => void;
  /** Why it can no longer be shown. */
  gone: 'deleted' | TokencastError | null;
}

/** Watches a document for as long as the component stands. */
export function useDocument(documentId: string): WatchedDocument {
  const { view, watched } = useWatched(
    useCallback(() => watchDocument(documentId, { getToken, renewToken: renewSession }), [documentId]),
  );
  const { room: state, connection } = view;
  const refusal = connection.state === 'closed' ? connection.error : null;
  const gone = state?.deleted ? 'deleted' : refusal;
  const { refresh } = useOwnLists();
  useEffect(() => {
    if (refusal) noticeRefusal(refusal);
    if (gone) refresh();
  }, [refusal, gone, refresh]);
  const name = state?.document.name;
  useEffect(() => {
    document.title = name ? `${name} · tokencast` : 'Documents · tokencast';
  }, [name]);
  return { state, connection, gone, reconnect: () => watched?.reconnect() };
}
