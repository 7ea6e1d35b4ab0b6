import type { User } from '../domain/conversation.js';
import { reasonOf } from '../lib/root-cause.js';
import type { Logger } from '../lib/logger.js';
import type { GatewayLeases } from '../redis/gateway-leases.js';
import type { Presence } from '../redis/presence.js';
import type { Room } from '../wire/room.js';

/** Three times within the life of a lease. */
const renewMs = 3000;
/** All rooms are said again within so many renewals, some at each: long before their keys expire. */
const renewalsOfAll = 20;
const tellMs = 1000;
/** Rooms that are renewed at a time. */
const batchSize = 100;

interface Present {
  user: User;
  connections: number;
}

type PresentUsers = Map<string, Present>;
/** By their ids. */
type UsersOfRooms = Map<Room, Map<string, User>>;

/**
 * Counts who watches through this process and keeps Redis told. Changes are told at most once a second for each room;
 * what other gateways leave behind when they die is put right at a renewal. A room in which nothing changes costs next to
 * nothing: it is said again once a minute.
 */
export class PresenceTracker {
  readonly #rooms = new Map<Room, PresentUsers>();
  /** Rooms with a change that is to be told. */
  readonly #due = new Map<Room, NodeJS.Timeout>();
  /** Rooms of which something could not be told, and the users of whom something could not be said there. */
  readonly #unsaid: UsersOfRooms = new Map();
  /** Who has come or gone in this turn of the event loop. */
  readonly #changes: UsersOfRooms = new Map();
  /** Rooms that are yet to be said again in this turn of all. */
  #turn: Room[] = [];
  readonly #timer: NodeJS.Timeout;
  /** What renewals have found and what is yet to be done about it. */
  #forgotten = false;
  #died = false;
  #saying = false;

  constructor(
    private readonly presence: Presence,
    private readonly leases: GatewayLeases,
    private readonly log: Logger,
  ) {
    this.#timer = setInterval(() => void this.#renew(), renewMs);
    void this.#renew();
  }

  /** One more connection watches. Returns how to take it back; repeating that does nothing. */
  enter(room: Room, user: User): () => void {
    const users: PresentUsers = this.#rooms.get(room) ?? new Map<string, Present>();
    this.#rooms.set(room, users);
    const entry = users.get(user.id) ?? { user, connections: 0 };
    users.set(user.id, entry);
    entry.connections += 1;
    this.#changed(room, user);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      entry.connections -= 1;
      if (entry.connections === 0) users.delete(user.id);
      if (users.size === 0 && this.#rooms.get(room) === users) this.#rooms.delete(room);
      this.#changed(room, user);
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
      this.#say(
        room,
        [...users.values()].map(({ user }) => user),
      ),
    );
    await inBatches([...toTell], (room) => this.#tell(room));
    await this.#try(() => this.leases.end());
  }

  /** What changes in one turn is said together. */
  #changed(room: Room, user: User): void {
    if (this.#changes.size === 0)
      setImmediate(() => {
        const changes = [...this.#changes];
        this.#changes.clear();
        for (const [room, users] of changes) void this.#say(room, [...users.values()]);
      });
    add(this.#changes, room, [user]);
    if (this.#due.has(room)) return;
    const timer = setTimeout(() => {
      this.#due.delete(room);
      void this.#tell(room);
    }, tellMs).unref();
    this.#due.set(room, timer);
  }

  async #renew(): Promise<void> {
    await this.#try(async () => {
      const { forgotten, died } = await this.leases.renew();
      this.#forgotten ||= forgotten;
      this.#died ||= died;
      if (this.#saying) return;
      this.#saying = true;
      await this.#sayAgain().finally(() => (this.#saying = false));
    });
  }

  /** Says and tells what renewals and failures have left to do, and the rooms whose turn it is. */
  async #sayAgain(): Promise<void> {
    const unsaid = [...this.#unsaid];
    this.#unsaid.clear();
    await inBatches(unsaid, ([room, users]) => this.#sayAll(room, [...users.values()]));
    const { size } = this.#rooms;
    if (this.#forgotten || this.#turn.length === 0) this.#turn = [...this.#rooms.keys()];
    const next = this.#turn.splice(0, this.#forgotten ? size : Math.ceil(size / renewalsOfAll));
    this.#forgotten = false;
    await inBatches(next, (room) => this.#sayAll(room, this.#usersOf(room)));
    if (!this.#died) return;
    this.#died = false;
    await inBatches([...this.#rooms.keys()], (room) => this.#tell(room));
  }

  #usersOf(room: Room): User[] {
    return [...(this.#rooms.get(room)?.values() ?? [])].map(({ user }) => user);
  }

  async #sayAll(room: Room, users: readonly User[]): Promise<void> {
    await this.#say(room, users);
    if (!this.#due.has(room)) await this.#tell(room);
  }

  async #say(room: Room, users: readonly User[]): Promise<void> {
    if (users.length === 0) return;
    const here = this.#rooms.get(room);
    const counted = users.map(({ id, name }) => ({ id, name, connections: here?.get(id)?.connections ?? 0 }));
    const said = await this.#try(() => this.presence.set(room, counted));
    if (!said) add(this.#unsaid, room, users);
  }

  async #tell(room: Room): Promise<void> {
    const told = await this.#try(() => this.presence.tell(room));
    if (!told) add(this.#unsaid, room, []);
  }

  /** Presence is an aid: when Redis is away it is said again at a renewal. False: it could not be said. */
  async #try(action: () => Promise<unknown>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      this.log.debug({ reason: reasonOf(error) }, 'presence could not be told');
      return false;
    }
  }
}

function add(rooms: UsersOfRooms, room: Room, users: readonly User[]): void {
  const known = rooms.get(room) ?? new Map<string, User>();
  rooms.set(room, known);
  for (const user of users) known.set(user.id, user);
}

async function inBatches<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += batchSize)
    await Promise.all(items.slice(at, at + batchSize).map(work));
}
