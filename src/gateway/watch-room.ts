import type { User } from '../domain/conversation.js';
import type { RoomTarget } from './authorize.js';
import type { Gateway } from './gateway.js';
import { RoomWatcher, type Sink } from './room-watcher.js';

interface WatchOptions {
  /** A room that the user may watch. */
  target: RoomTarget;
  user: User;
  sink: Sink;
  /** The right has gone, or the room, and the client has been told so. */
  onEnd: () => void;
}

/** Somebody's watcher of a room: in a conversation counted as present, and ended when the right to watch ends. */
export function watchRoom(
  { hub, reader, snapshots, presence, metrics, log }: Gateway,
  { target: { room, kind, id, right }, user, sink, onEnd }: WatchOptions,
): { watcher: RoomWatcher; close: () => void } {
  const leave = kind === 'conversation' ? presence.enter(room, user) : () => undefined;
  const watcher = new RoomWatcher({
    room,
    hub,
    reader,
    sink,
    right,
    metrics,
    log,
    snapshot: () => {
      switch (kind) {
        case 'conversation':
          return snapshots.conversation(id, user.id);
        case 'document':
          return snapshots.document(id);
        case 'user':
          return snapshots.user(id);
      }
    },
    onEnd: () => {
      leave();
      onEnd();
    },
  });
  const close = () => {
    leave();
    watcher.close();
  };
  return { watcher, close };
}
