import type { User } from '../domain/conversation.js';
import { reasonOf } from '../lib/root-cause.js';
import type { Logger } from '../lib/logger.js';
import type { Presence } from '../redis/presence.js';
import type { Room } from '../wire/room.js';

/** Three times within the life of what is said. */
const renewMs = 3000;
const tellMs = 1000;
/** Rooms that are renewed at a time. */
const batchSize = 100;

interface Present {
  user: User;
  connections: number;
}

type PresentUsers = Map<string, Present>;

/**
 * Counts who watches through this process and keeps Redis told. Changes are told at most once a second for each room;
 * what other gateways leave behind when they die is put right at a renewal.
 */
export class PresenceTracker {
  readonly #rooms = new Map<Room, PresentUsers>();
  /** Rooms with a change that is to be told. */
  readonly #due = new Map<Room, NodeJS.Timeout>();
  readonly #timer: NodeJS.Timeout;
  #renewing = false;

  constructor(
    private readonly presence: Presence,
    private readonly log: Logger,
  ) {
    this.#timer = setInterval(() => void this.#renew(), renewMs);
  }

  /** One more connection watches. Returns how to take it back; repeating that does nothing. */
  enter(room: Room, user: User): () => void {
    const users: PresentUsers = this.#rooms.get(room) ?? new Map<string, Present>();
    this.#rooms.set(room, users);
    const entry = users.get(user.id) ?? { user, connections: 0 };
    users.set(user.id, entry);
    entry.connections += 1;
    this.#changed(room, entry);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      entry.connections -= 1;
      if (entry.connections === 0) users.delete(user.id);
      if (users.size === 0 && this.#rooms.get(room) === users) this.#rooms.delete(room);
      this.#changed(room, entry);
    };
  }

  /** Connections counted now. */
  get size(): number {
    let size = 0;
    for (const users of this.#rooms.values())
      for (const { connections } of users.values()) size += connections;
    return size;
  }

  /** Takes back everything that this process said. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    const rooms = [...this.#rooms];
    this.#rooms.clear();
    const toTell = new Set([...this.#due.keys(), ...rooms.map(([room]) => room)]);
    for (const timer of this.#due.values()) clearTimeout(timer);
    this.#due.clear();
    await inBatches(rooms, ([room, users]) =>
      this.#try(() => Promise.all([...users.values()].map(({ user }) => this.presence.set(room, user, 0)))),
    );
    await inBatches([...toTell], (room) => this.#try(() => this.presence.tell(room)));
  }

  #changed(room: Room, { user, connections }: Present): void {
    void this.#try(() => this.presence.set(room, user, connections));
    if (this.#due.has(room)) return;
    const timer = setTimeout(() => {
      this.#due.delete(room);
      void this.#try(() => this.presence.tell(room));
    }, tellMs).unref();
    this.#due.set(room, timer);
  }

  async #renew(): Promise<void> {
    if (this.#renewing) return;
    this.#renewing = true;
    await inBatches([...this.#rooms], ([room, users]) =>
      this.#try(async () => {
        await Promise.all(
          [...users.values()].map(({ user, connections }) => this.presence.set(room, user, connections)),
        );
        if (!this.#due.has(room)) await this.presence.tell(room);
      }),
    );
    this.#renewing = false;
  }

  /** Presence is an aid: when Redis is away it is said again at the next renewal. */
  async #try(action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.log.debug({ reason: reasonOf(error) }, 'presence could not be told');
    }
  }
}

async function inBatches<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += batchSize)
    await Promise.all(items.slice(at, at + batchSize).map(work));
}
