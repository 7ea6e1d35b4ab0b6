import type { LogEntry, RoomLog } from '../../src/redis/room-log.js';

interface Entry extends LogEntry {
  prev: string;
}

/** A room log in memory that keeps the invariants of `lua/*.lua`, and answers when the scheduler lets it. */
export class FakeLog {
  entries: Entry[] = [];
  /** Every entry that ever was. */
  readonly history = new Map<string, Entry>();
  #id = 0;
  #life = 1000;

  constructor(
    private readonly turn: () => Promise<void>,
    private readonly publish: (message: string) => void,
  ) {
    this.wipe();
  }

  /** `data`: as JSON; the entry's number by default. */
  append(type = 'event', data?: string): void {
    this.#push(this.last, type, data);
  }

  /** All is lost, and somebody begins the log anew; `behind`: on a clock that is behind the last one. */
  wipe({ behind = false } = {}): void {
    this.entries = [];
    if (behind) this.#life -= 1;
    this.#push('', 'origin');
  }

  /** Only the newest entry stays. */
  trim(): void {
    this.entries = this.entries.slice(-1);
  }

  get last(): string {
    return this.entries.at(-1)?.cursor ?? '';
  }

  get roomLog(): RoomLog {
    const read: RoomLog['read'] = async (_room, after, limit) => {
      await this.turn();
      const at = this.entries.findIndex(({ cursor }) => cursor === after);
      const page =
        at < 0 ? undefined : { last: this.last, entries: this.entries.slice(at + 1, at + 1 + limit) };
      await this.turn();
      return page;
    };
    const look: RoomLog['look'] = async () => {
      await this.turn();
      const view = { cursor: this.last, transcripts: new Map<string, string>() };
      await this.turn();
      return view;
    };
    return { read, look } as Partial<RoomLog> as RoomLog;
  }

  #push(prev: string, type: string, data = `{"n":${this.#id + 1}}`): void {
    const entry = { prev, cursor: `${this.#life}-${(this.#id += 1)}`, type, data };
    this.entries.push(entry);
    this.history.set(entry.cursor, entry);
    this.publish(`${prev} ${entry.cursor} ${type} ${entry.data}`);
  }
}
