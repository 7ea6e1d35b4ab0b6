import { useCallback, useRef, useSyncExternalStore } from 'react';
import { onceAFrame } from './once-a-frame.js';

/** What tells of its changes: connections of rooms, handles of generations. */
export interface Watchable<V> {
  subscribe: (listener: () => void) => () => void;
  /** The same object until something changes. */
  getSnapshot: () => V;
}

/**
 * What a component needs of what is watched. It is drawn again when that changes, at most once a frame, and for no other
 * change.
 *
 * @param watched null: there is nothing to watch yet, which `select` is told as null
 * @param isEqual whether two selections are alike; default: by identity
 */
export function useSelected<V, R>(
  watched: Watchable<V> | null,
  select: (view: V | null) => R,
  isEqual: (a: R, b: R) => boolean = Object.is,
): R {
  const last = useRef<{ view: V | null; select: typeof select; selected: R } | null>(null);
  const subscribe = useCallback(
    (listener: () => void) => {
      const paced = onceAFrame(listener);
      const unsubscribe = watched?.subscribe(paced.listener);
      return () => {
        paced.cancel();
        unsubscribe?.();
      };
    },
    [watched],
  );
  const selection = (): R => {
    const view = watched?.getSnapshot() ?? null;
    const { current } = last;
    if (current?.view === view && current.select === select) return current.selected;
    const selected = select(view);
    const kept = current && isEqual(current.selected, selected) ? current.selected : selected;
    last.current = { view, select, selected: kept };
    return kept;
  };
  return useSyncExternalStore(subscribe, selection, selection);
}
