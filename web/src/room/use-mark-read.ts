import { useEffect, useRef, useSyncExternalStore } from 'react';
import type { RoomState, User } from '../../../src/client/index.js';
import { http } from '../services.js';

function subscribeVisibility(listener: () => void): () => void {
  document.addEventListener('visibilitychange', listener);
  return () => {
    document.removeEventListener('visibilitychange', listener);
  };
}

/** Tells the server how far one has read: what others said, once it is there and the page is looked at. */
export function useMarkRead(conversationId: string, room: RoomState | null, user: User): void {
  const visible = useSyncExternalStore(subscribeVisibility, () => !document.hidden);
  const marked = useRef(-1);
  const newest = room?.messages.findLast(({ author }) => author?.id !== user.id)?.position ?? -1;
  useEffect(() => {
    if (!visible || newest <= marked.current) return;
    marked.current = newest;
    // What does not arrive is told with the next message.
    http.markRead(conversationId, newest).catch(() => undefined);
  }, [conversationId, visible, newest]);
}
