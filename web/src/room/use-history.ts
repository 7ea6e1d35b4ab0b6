import { useEffect, useLayoutEffect, useRef, useSyncExternalStore, type RefObject } from 'react';
import type { HistoryState, RoomHistory } from '../../../src/client/index.js';

/** Nearer to the beginning than this, in px, the page before is asked for. */
const nearPx = 600;

const noSubscription = () => () => undefined;
const noHistory = (): HistoryState => 'idle';

/**
 * Brings older messages when the reader comes near to the beginning, and keeps the first visible row where it is.
 *
 * @param oldest the id of the first row
 * @param position of the first message that is held
 * @returns what there is to say of it at the beginning of the log
 */
export function useHistory(
  scroller: RefObject<HTMLElement | null>,
  history: RoomHistory | null,
  oldest: string | undefined,
  position: number | undefined,
): string | null {
  const state = useSyncExternalStore(history?.subscribe ?? noSubscription, history?.getSnapshot ?? noHistory);
  const mayHaveMore = position !== undefined && position > 1;

  useEffect(() => {
    const { current } = scroller;
    if (!current || !history || !mayHaveMore) return;
    const look = () => {
      if (current.scrollTop < nearPx) void history.loadOlder();
    };
    look();
    current.addEventListener('scroll', look, { passive: true });
    return () => {
      current.removeEventListener('scroll', look);
    };
  }, [scroller, history, mayHaveMore, oldest]);

  const before = useRef<{ oldest: string; top: number } | null>(null);
  useLayoutEffect(() => {
    const { current } = scroller;
    const topOf = (id: string) =>
      current?.querySelector<HTMLElement>(`[data-message-id="${CSS.escape(id)}"]`)?.offsetTop;
    // Whatever came above what was the first row, the page before or a word about it, is made up for.
    const held = before.current;
    const heldTop = held && topOf(held.oldest);
    if (current && held && heldTop !== undefined && heldTop !== null && heldTop !== held.top)
      current.scrollTop += heldTop - held.top;
    const top = oldest === undefined ? undefined : topOf(oldest);
    before.current = oldest === undefined || top === undefined ? null : { oldest, top };
  });

  if (state === 'loading') return 'Earlier messages are on their way';
  return state === 'failed' ? 'Earlier messages could not be loaded. Scroll to try again.' : null;
}
