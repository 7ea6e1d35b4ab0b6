import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../lib/logger.js';
import { reasonOf } from '../lib/root-cause.js';
import { together } from '../lib/together.js';
import { backoffMs } from '../lib/backoff.js';
import { unlessAborted } from '../lib/unless-aborted.js';
import { withinTrace } from '../lib/tracing.js';
import type { GenerationQueues, QueuedGeneration } from '../queue/generation-queue.js';
import type { DeliveryJob, WebhookQueue } from '../queue/webhook-queue.js';
import type { RoomLog } from '../redis/room-log.js';
import type { Database } from '../store/database.js';
import { hasOutbox, relayOutbox, type OutboxRow, type Relayed } from '../store/outbox.js';
import type { Room } from '../wire/room.js';
import type { Activity } from './activity.js';

interface RelayOptions {
  redis: keyof typeof bounds;
  db: Database;
  roomLog: RoomLog;
  activity: Activity;
  queues: GenerationQueues;
  webhooks: WebhookQueue;
  log: Logger;
}

/**
 * Relays at the same time, and rooms of each. Where all rooms are on one server, those that come meanwhile wait and go
 * together: one costs hardly less than many. On a cluster each goes alone, or a slow shard would hold up rooms of others.
 */
const bounds = {
  oneServer: { mostAtOnce: 2, mostRooms: 100 },
  cluster: { mostAtOnce: 8, mostRooms: 1 },
} as const;

/** How soon it is looked again whether another process has told a room: ever more seldom. */
const busy = { firstMs: 5, mostMs: 50 };

/** Then the sweep of some process takes over. */
const mostFailures = 5;

/** A room that is to be told, until nothing is left of it. */
interface Wanted {
  requests: number;
  failures: number;
  /** Whether it could be told. */
  done: Promise<boolean>;
  end: (told: boolean) => void;
}

/**
 * Tells the room logs and the queues what Postgres has decided.
 *
 * Invariants:
 * - A room's events are told in the order of their ids, each once (T1 in `redis/lua/tell.lua`), before its jobs and webhooks,
 *   which are added together. Rows are forgotten or tried again when all of them have come to their end.
 * - A committed row is told: by the process that committed it; by the one that was relaying the room meanwhile, which
 *   looks again after it has let go of the lock; or, where either died, by the maintenance sweep.
 */
export class Relay {
  readonly #wanted = new Map<Room, Wanted>();
  #waiting: Room[] = [];
  #underWay = 0;
  #closed = false;

  constructor(private readonly options: RelayOptions) {}

  /** Relays a room in the background, as often as it takes. Never throws, never delays the caller. */
  request(room: Room): void {
    void this.relayed(room);
  }

  /** Relays a room likewise; resolves with whether it could be told, be it by another process that was at it. */
  relayed(room: Room): Promise<boolean> {
    const running = this.#wanted.get(room);
    if (running) {
      running.requests += 1;
      return running.done;
    }
    let end: Wanted['end'] = () => undefined;
    const done = new Promise<boolean>((resolve) => {
      end = resolve;
    });
    this.#wanted.set(room, { requests: 1, failures: 0, done, end });
    this.#enqueue(room);
    return done;
  }

  /** Resolves once everything of the room that was committed before this call has been told. */
  async flush(room: Room, signal: AbortSignal): Promise<void> {
    const { db, log } = this.options;
    for (let failures = 0, waitMs = busy.firstMs; ;) {
      try {
        const running = this.#wanted.get(room);
        if (running) await unlessAborted(running.done, signal);
        if (!(await hasOutbox(db, room))) return;
        if (!(await unlessAborted(this.relayed(room), signal))) throw new Error('it could not be told');
        failures = 0;
        // Where something is left, another process is at it.
        if (await hasOutbox(db, room)) await sleep(waitMs, undefined, { signal });
        waitMs = Math.min(2 * waitMs, busy.mostMs);
      } catch (error) {
        signal.throwIfAborted();
        failures += 1;
        log.debug({ room, reason: reasonOf(error) }, 'relay failed');
        await sleep(backoffMs(failures, { baseMs: 50, maxMs: 1000 }), undefined, { signal });
      }
    }
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#wanted.values()].map(({ done }) => done));
  }

  /** At the end of the turn: with the other commits that were heard of in it. */
  #enqueue(room: Room): void {
    this.#waiting.push(room);
    if (this.#waiting.length === 1)
      setImmediate(() => {
        this.#begin();
      });
  }

  #begin(): void {
    const { mostAtOnce, mostRooms } = bounds[this.options.redis];
    while (this.#waiting.length > 0 && this.#underWay < mostAtOnce) {
      const rooms = this.#waiting.slice(0, mostRooms);
      this.#waiting = this.#waiting.slice(mostRooms);
      this.#underWay += 1;
      void this.#relay(rooms).then(() => {
        this.#underWay -= 1;
        this.#begin();
      });
    }
  }

  async #relay(rooms: readonly Room[]): Promise<void> {
    const { db, log } = this.options;
    const requests = new Map(rooms.map((room) => [room, this.#wanted.get(room)?.requests]));
    const outcomes = await relayOutbox(db, rooms, (room, rows) => this.#tell(room, rows)).catch(
      (error: unknown) => {
        log.warn({ rooms, reason: reasonOf(error) }, 'relay failed');
        return undefined;
      },
    );
    for (const room of rooms) this.#goOn(room, requests.get(room), outcomes?.get(room) ?? 'failed');
  }

  /** A request that came after the last look must be seen: nothing is awaited between. */
  #goOn(room: Room, requests: number | undefined, outcome: Relayed): void {
    const wanted = this.#wanted.get(room);
    if (!wanted) return;
    wanted.failures = outcome === 'failed' ? wanted.failures + 1 : 0;
    if (outcome === 'failed' && wanted.failures < mostFailures && !this.#closed) {
      const waitMs = backoffMs(wanted.failures, { baseMs: 50, maxMs: 1000 });
      void sleep(waitMs).then(() => {
        this.#enqueue(room);
      });
    } else if (outcome !== 'failed' && (outcome === 'more' || wanted.requests !== requests)) {
      this.#enqueue(room);
    } else {
      this.#wanted.delete(room);
      wanted.end(outcome !== 'failed');
    }
  }

  async #tell(room: Room, rows: readonly OutboxRow[]): Promise<void> {
    const { roomLog, activity, log } = this.options;
    try {
      const events = rows.filter((row) => row.kind === 'event');
      if (events.length > 0) {
        await roomLog.tell(
          room,
          events.map(({ id, type, data, ends }) => ({ outboxId: id, type, data, ends })),
        );
        activity.note(room);
      }
      await together(rows.map((row) => this.#add(row)));
    } catch (error) {
      log.warn({ room, reason: reasonOf(error) }, 'relay failed');
      throw error;
    }
  }

  /** Adds what is for a queue; one that is there already stays as it is. */
  async #add({ kind, data }: OutboxRow): Promise<void> {
    const { queues, webhooks } = this.options;
    if (kind === 'job') {
      const queued = JSON.parse(data) as QueuedGeneration;
      // Whoever relays it, and whenever: it belongs to the request that has asked for it.
      await withinTrace(queued.job.traceparent, () => queues.add(queued));
    } else if (kind === 'webhook') {
      await webhooks.add(JSON.parse(data) as DeliveryJob);
    }
  }
}
