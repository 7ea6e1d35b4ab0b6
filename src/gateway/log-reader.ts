import { SingleFlight } from '../lib/single-flight.js';
import type { RoomLog } from '../redis/room-log.js';
import type { Cursor } from '../wire/cursor.js';
import type { Room } from '../wire/room.js';
import type { Frame } from './frame.js';
import { joinedFrames } from './joined-frames.js';

const pageSize = 1000;
/** Who comes back behind others gets what was read for them. */
const keptMs = 500;

/**
 * Reads of the room logs for clients that return or were slow; equal ones within a moment are one. What a page says stays
 * true, as the log only grows: a reader of an older one has more to read behind it, and finds out there where the log has
 * begun anew. So a page without frames is not kept: it says where the end was.
 */
export class LogReader {
  readonly #flights = new SingleFlight<Frame[] | undefined>();
  readonly #pages = new Map<string, Frame[]>();

  constructor(private readonly roomLog: RoomLog) {}

  /** The next frames after a cursor, deltas joined; none: it is the newest; undefined: it cannot be continued. */
  read(room: Room, after: Cursor): Promise<Frame[] | undefined> {
    const key = `${room} ${after}`;
    const kept = this.#pages.get(key);
    if (kept) return Promise.resolve(kept);
    return this.#flights.do(key, async () => {
      const page = await this.roomLog.read(room, after, pageSize);
      const frames = page && joinedFrames(page.entries);
      if (frames && frames.length > 0) this.#keep(key, frames);
      return frames;
    });
  }

  #keep(key: string, frames: Frame[]): void {
    this.#pages.set(key, frames);
    setTimeout(() => this.#pages.delete(key), keptMs).unref();
  }
}
