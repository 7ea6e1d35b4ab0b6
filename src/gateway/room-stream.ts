import type { User } from '../domain/conversation.js';
import { noCursor, type Cursor } from '../wire/cursor.js';
import type { RoomTarget } from './authorize.js';
import type { EventStream } from './event-stream.js';
import { Frame } from './frame.js';
import type { Gateway } from './gateway.js';
import type { Sink } from './room-watcher.js';
import { watchRoom } from './watch-room.js';

interface Target extends RoomTarget {
  after: Cursor | undefined;
}

/**
 * Streams rooms to a client. Event ids are the cursors of all rooms joined by commas, in the order of the rooms, so
 * that one id says where the client is in each; each room resumes or resynchronises alone.
 */
export async function streamRooms(
  gateway: Gateway,
  stream: EventStream,
  user: User,
  targets: readonly Target[],
): Promise<void> {
  const cursors = targets.map(({ after }) => after ?? noCursor);
  let open = targets.length;
  const watches = targets.map((target, i) => {
    const sink: Sink = {
      get congested() {
        return stream.congested;
      },
      drained: () => stream.drained(),
      send: (frame) => {
        if (frame.cursor !== undefined) cursors[i] = frame.cursor;
        const id = frame.cursor === undefined ? undefined : cursors.join(',');
        stream.write(frame.sse(id), gateway.metrics?.timed('event_stream', frame));
      },
    };
    const onEnd = () => {
      open -= 1;
      if (open === 0) stream.end();
    };
    return { sink, ...watchRoom(gateway, { target, user, sink, onEnd }) };
  });
  stream.onClose(() => {
    for (const { close } of watches) close();
  });
  const joined = await Promise.all(watches.map(({ watcher }, i) => watcher.join(targets[i]?.after)));
  stream.open();
  // What goes out before a room's snapshot must not say that the client has anything of the room.
  for (const [i, { resumed }] of joined.entries()) if (!resumed) cursors[i] = noCursor;
  for (const [i, { cursor, snapshot }] of joined.entries()) {
    const target = targets[i];
    const watch = watches[i];
    if (!target || !watch) continue;
    if (snapshot) {
      const data = { type: 'snapshot', room: target.room, at: new Date().toISOString(), snapshot };
      watch.sink.send(new Frame('snapshot', cursor, JSON.stringify(data)));
    }
    watch.watcher.start();
  }
}
