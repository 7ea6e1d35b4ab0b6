import { useCallback, useEffect, useState, useSyncExternalStore } from 'react';
import type { AnySnapshot, Cursor, RoomConnection, RoomView } from '../../../src/client/index.js';
import { onceAFrame } from './once-a-frame.js';

const connecting: RoomView<never> = { room: null, connection: { state: 'connecting' } };

/**
 * A room that is watched for as long as the component stands, drawn at most once a frame.
 *
 * @param open makes the connection; a new function makes a new one
 */
export function useWatched<S extends { readonly cursor: Cursor }, Snapshot extends AnySnapshot>(
  open: () => RoomConnection<S, Snapshot>,
): { view: RoomView<S>; watched: RoomConnection<S, Snapshot> | null } {
  const [watched, setWatched] = useState<RoomConnection<S, Snapshot> | null>(null);
  useEffect(() => {
    const made = open();
    setWatched(made);
    return () => {
      made.close();
    };
  }, [open]);

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
  const view = useSyncExternalStore(subscribe, () => watched?.getSnapshot() ?? connecting);
  return { view, watched };
}
