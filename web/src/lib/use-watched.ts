import type { AnySnapshot, Cursor, RoomConnection, RoomView } from '../../../src/client/index.js';
import { useOpened, useSelected } from '../../../src/react/index.js';

const connecting: RoomView<never> = { room: null, connection: { state: 'connecting' }, transport: null };

/**
 * A room that is watched for as long as the component stands, drawn at most once a frame.
 *
 * @param open makes the connection; a new function makes a new one
 */
export function useWatched<S extends { readonly cursor: Cursor }, Snapshot extends AnySnapshot>(
  open: () => RoomConnection<S, Snapshot>,
): { view: RoomView<S>; watched: RoomConnection<S, Snapshot> | null } {
  const watched = useOpened(open);
  const view = useSelected<RoomView<S>, RoomView<S>>(watched, orConnecting);
  return { view, watched };
}

const orConnecting = <S>(view: RoomView<S> | null): RoomView<S> => view ?? connecting;
