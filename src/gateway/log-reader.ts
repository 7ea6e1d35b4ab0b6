import { SingleFlight } from '../lib/single-flight.js';
import type { RoomLog } from '../redis/room-log.js';
import type { Cursor } from '../wire/cursor.js';
import type { Room } from '../wire/room.js';
import type { Frame } from './frame.js';
import { joinedFrames } from './joined-frames.js';

const pageSize = 1000;

/** Reads of the room logs for clients that return or were slow; equal ones at one time are one. */
export class LogReader {
  readonly #flights = new SingleFlight<Frame[] | undefined>();

  constructor(private readonly roomLog: RoomLog) {}

  /** The next frames after a cursor, deltas joined; none: it is the newest; undefined: it cannot be continued. */
  read(room: Room, after: Cursor): Promise<Frame[] | undefined> {
    return this.#flights.do(`${room} ${after}`, async () => {
      const page = await this.roomLog.read(room, after, pageSize);
      return page && joinedFrames(page.entries);
    });
  }
}
