import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../lib/backoff.js';
import type { Logger } from '../lib/logger.js';
import { isAtOrBefore, type Cursor } from '../wire/cursor.js';
import type { Room } from '../wire/room.js';
import type { LogEntry, RoomLog } from './room-log.js';

export interface RoomListener {
  /** The next entry of the log. */
  entry(entry: LogEntry): void;
  /** Something that is not logged. */
  unlogged(event: Omit<LogEntry, 'cursor'>): void;
  /** The log cannot be continued from where the feed was: it stands at a new `last`, and only a snapshot helps. */
  reset(): void;
}

interface Publication {
  /** The entry before it; empty: the log begins with it. */
  prev: string;
  entry: LogEntry;
}

const pageSize = 1000;

/**
 * The entries of one room, in order and without holes, from what is published and, where that has holes, from the log.
 *
 * Invariants:
 * - An entry is delivered only when it names the entry delivered before it (L1), or was read by a chain that holds (R1).
 * - A publication that came before a read of the log began is covered by that read (L2), whatever it says.
 * - Where the chain does not hold, the feed takes a new place from the log itself and says `reset`.
 */
export class RoomFeed {
  /** Who gets what comes, and how many watches want them to. */
  readonly #listeners = new Map<RoomListener, number>();
  #watchers = 0;
  /** Resolves when the feed has a place in the log. */
  started: Promise<void> = Promise.resolve();
  #last: Cursor | undefined;
  #queue: Publication[] = [];
  #filling = false;
  /** Counts the calls of `fill`, so that one that comes during a read is seen behind it. */
  #fills = 0;
  #closed = false;

  constructor(
    private readonly room: Room,
    private readonly roomLog: RoomLog,
    private readonly log: Logger,
    /** Called with every entry that is published, once, before the listeners get it. */
    private readonly onPublished?: (entry: LogEntry) => void,
  ) {}

  /** Watches of the room. */
  get watchers(): number {
    return this.#watchers;
  }

  /** Adds a watch. A listener gets everything once, however many watches it stands for. */
  add(listener: RoomListener): void {
    this.#watchers += 1;
    this.#listeners.set(listener, (this.#listeners.get(listener) ?? 0) + 1);
  }

  /** Ends a watch of this listener, which has one. */
  remove(listener: RoomListener): void {
    this.#watchers -= 1;
    const left = (this.#listeners.get(listener) ?? 0) - 1;
    if (left > 0) this.#listeners.set(listener, left);
    else this.#listeners.delete(listener);
  }

  /** The newest entry delivered. */
  get last(): Cursor | undefined {
    return this.#last;
  }

  /** Takes a place in the log once the subscription stands. */
  start(subscribed: Promise<void>): void {
    this.#filling = true;
    this.started = (async () => {
      try {
        await subscribed;
        this.#last = (await this.roomLog.look(this.room)).cursor;
      } finally {
        this.#filling = false;
      }
      const asked = this.#fills > 0;
      this.#takeQueue();
      // The subscription was made again meanwhile: what it missed may lie behind the place.
      if (asked) this.fill();
    })();
    // Whoever watches awaits it; without a handler of its own a failure would end the process.
    this.started.catch(() => undefined);
  }

  /** Takes a message of the room's channel: "<p> <id> <t> <d>", with "- - <t> <d>" for what is not logged. */
  publication(message: string): void {
    const afterPrev = message.indexOf(' ');
    const afterId = message.indexOf(' ', afterPrev + 1);
    const afterType = message.indexOf(' ', afterId + 1);
    const prev = message.slice(0, afterPrev);
    const cursor = message.slice(afterPrev + 1, afterId);
    const type = message.slice(afterId + 1, afterType);
    const data = message.slice(afterType + 1);
    if (cursor === '-') {
      const event = { type, data };
      for (const listener of this.#listeners.keys()) listener.unlogged(event);
      return;
    }
    const entry = { cursor, type, data };
    this.onPublished?.(entry);
    if (!this.#filling && prev === this.#last) {
      this.#deliver(entry);
      return;
    }
    this.#queue.push({ prev, entry });
    if (!this.#filling) this.fill();
  }

  /** Looks into the log for what was missed. */
  fill(): void {
    this.#fills += 1;
    if (this.#filling || this.#last === undefined || this.#closed) return;
    this.#filling = true;
    void this.#fill(this.#last);
  }

  close(): void {
    this.#closed = true;
    this.#queue = [];
    this.#listeners.clear();
  }

  async #fill(last: Cursor): Promise<void> {
    for (let failures = 0; !this.#closed;) {
      const fills = this.#fills;
      const covered = this.#queue.length;
      try {
        const more = await this.#readOnce(this.#last ?? last);
        failures = 0;
        this.#queue.splice(0, covered);
        if (more) continue;
        if (this.#fills === fills) break;
      } catch (error) {
        failures += 1;
        this.log.debug({ room: this.room, reason: String(error) }, 'the room log cannot be read');
        // The log is read from `last` again, which covers them.
        this.#queue.length = 0;
        await sleep(backoffMs(failures, { baseMs: 50, maxMs: 1000 }));
      }
    }
    this.#filling = false;
    this.#takeQueue();
  }

  /** Reads one page, delivers it, and tells whether there may be more. */
  async #readOnce(last: Cursor): Promise<boolean> {
    const page = await this.roomLog.read(this.room, last, pageSize);
    if (this.#closed) return false;
    if (page) {
      for (const entry of page.entries) this.#deliver(entry);
      return page.entries.length === pageSize;
    }
    const { cursor } = await this.roomLog.look(this.room);
    this.#last = cursor;
    for (const listener of this.#listeners.keys()) listener.reset();
    return false;
  }

  /** Delivers what was published while the log was read, as far as it goes on from there. */
  #takeQueue(): void {
    const queue = this.#queue;
    this.#queue = [];
    for (const { prev, entry } of queue) {
      if (this.#last === undefined || this.#closed) return;
      if (entry.cursor === this.#last) continue;
      if (prev === this.#last) {
        this.#deliver(entry);
      } else if (prev === '' || !isAtOrBefore(entry.cursor, this.#last)) {
        this.fill();
        return;
      }
    }
  }

  #deliver(entry: LogEntry): void {
    this.#last = entry.cursor;
    if (entry.type === 'origin') return;
    for (const listener of this.#listeners.keys()) listener.entry(entry);
  }
}
