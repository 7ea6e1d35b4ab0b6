import type { Logger } from '../lib/logger.js';
import type { Cursor } from '../wire/cursor.js';
import type { Room } from '../wire/room.js';
import type { Keys } from './keys.js';
import { RoomFeed, type RoomListener } from './room-feed.js';
import type { LogEntry, RoomLog } from './room-log.js';
import type { Subscriptions } from './subscriber.js';

/** A listener's place in a room's feed. */
export interface RoomWatch {
  /** The newest entry that the listeners of the feed have got; undefined while it is being found out. */
  readonly last: Cursor | undefined;
  /** Has another listener in the place of the one so far, from the next entry on. */
  listen(listener: RoomListener): void;
  /** Looks into the log for what the feed may have missed. */
  fill(): void;
  close(): void;
}

interface RoomHubOptions {
  roomLog: RoomLog;
  subscriber: Subscriptions;
  keys: Keys;
  /** Called with every entry that is published in a room that is watched here. */
  onPublished?: (entry: LogEntry) => void;
  log: Logger;
}

/** The rooms that this process watches: one subscription each, however many listen, and none when nobody does. */
export class RoomHub {
  readonly #feeds = new Map<Room, RoomFeed>();
  readonly #stopRestored: () => void;

  constructor(private readonly options: RoomHubOptions) {
    this.#stopRestored = options.subscriber.onRestored(() => {
      for (const feed of this.#feeds.values()) feed.fill();
    });
  }

  /**
   * Adds a listener. When it resolves, `last` is a place in the log, and every entry behind it will reach the listener.
   *
   * Fails when Redis does not answer; nothing is left behind then.
   */
  async watch(room: Room, listener: RoomListener): Promise<RoomWatch> {
    const feed = this.#feeds.get(room) ?? this.#begin(room);
    let current: RoomListener | undefined = listener;
    feed.add(listener);
    const close = () => {
      if (!current) return;
      feed.remove(current);
      current = undefined;
      this.#end(room, feed);
    };
    try {
      await feed.started;
    } catch (error) {
      close();
      throw error;
    }
    return {
      get last() {
        return feed.last;
      },
      listen: (next) => {
        if (!current) return;
        feed.add(next);
        feed.remove(current);
        current = next;
      },
      fill: () => {
        feed.fill();
      },
      close,
    };
  }

  /** Listeners now, over all rooms. */
  get watchers(): number {
    let watchers = 0;
    for (const feed of this.#feeds.values()) watchers += feed.watchers;
    return watchers;
  }

  /** Rooms watched now. */
  get size(): number {
    return this.#feeds.size;
  }

  close(): void {
    this.#stopRestored();
    for (const [room, feed] of this.#feeds) this.#drop(room, feed);
  }

  #begin(room: Room): RoomFeed {
    const { roomLog, subscriber, keys, log, onPublished } = this.options;
    const feed = new RoomFeed(room, roomLog, log, onPublished);
    this.#feeds.set(room, feed);
    feed.start(
      subscriber.subscribe(keys.channel(room), (message) => {
        feed.publication(message);
      }),
    );
    return feed;
  }

  #end(room: Room, feed: RoomFeed): void {
    if (feed.watchers === 0 && this.#feeds.get(room) === feed) this.#drop(room, feed);
  }

  #drop(room: Room, feed: RoomFeed): void {
    feed.close();
    this.#feeds.delete(room);
    this.options.subscriber.unsubscribe(this.options.keys.channel(room));
  }
}
