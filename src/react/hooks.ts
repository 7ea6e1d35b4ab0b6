import { useMemo } from 'react';
import {
  watchConversation,
  watchDocument,
  watchGeneration,
  watchUser,
  type DocumentSnapshot,
  type DocumentState,
  type GenerationHandle,
  type GenerationReference,
  type RoomConnection,
  type RoomConnectionOptions,
  type UserSnapshot,
  type UserState,
} from '../client/index.js';
import { useOpened } from './use-opened.js';

/*
 * Each watches for as long as the component stands, and draws nothing by itself: `useSelected` does. A null id watches
 * nothing. `options` have to be the same object from one drawing to the next: another one connects anew.
 */

/** Watches a conversation. */
export const useConversation = (id: string | null, options: RoomConnectionOptions): RoomConnection | null =>
  useWatching(watchConversation, id, options);

/** Watches a document. */
export const useDocument = (
  id: string | null,
  options: RoomConnectionOptions,
): RoomConnection<DocumentState, DocumentSnapshot> | null => useWatching(watchDocument, id, options);

/** Watches the lists of a person: their own. */
export const useUser = (
  id: string | null,
  options: RoomConnectionOptions,
): RoomConnection<UserState, UserSnapshot> | null => useWatching(watchUser, id, options);

/** Watches one generation, until it ends. */
export function useGeneration(
  generation: GenerationReference | null,
  options: RoomConnectionOptions,
): GenerationHandle | null {
  const id = typeof generation === 'string' ? generation : (generation?.id ?? null);
  // Another object of the same generation is no other generation.
  const watch = useMemo(
    () => (_: string, with_: RoomConnectionOptions) => watchGeneration(generation ?? '', with_),
    [id],
  );
  return useWatching(watch, id, options);
}

function useWatching<T extends { close(): void }>(
  watch: (id: string, options: RoomConnectionOptions) => T,
  id: string | null,
  options: RoomConnectionOptions,
): T | null {
  const open = useMemo(() => (id === null ? null : () => watch(id, options)), [watch, id, options]);
  return useOpened(open);
}
