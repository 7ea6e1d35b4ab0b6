import DataLoader from 'dataloader';
import { SingleFlight } from '../lib/single-flight.js';
import type { Presence } from '../redis/presence.js';
import type { PresentUser } from '../wire/room-events.js';
import type { Room } from '../wire/room.js';

/** Who watches a room now. All who ask for it in one turn of the event loop get one list, which is read behind their asking. */
export class PresenceLists {
  readonly #loader: DataLoader<Room, PresentUser[]>;

  constructor(presence: Pick<Presence, 'list'>) {
    this.#loader = new DataLoader(
      (asked) => {
        const flights = new SingleFlight<PresentUser[]>();
        // One that fails is told to those who asked for it alone.
        const lists = asked.map((room) => flights.do(room, () => presence.list(room)).catch(asError));
        return Promise.all(lists);
      },
      { cache: false, batchScheduleFn: setImmediate },
    );
  }

  list(room: Room): Promise<PresentUser[]> {
    return this.#loader.load(room);
  }
}

const asError = (error: unknown) => (error instanceof Error ? error : new Error(String(error)));
