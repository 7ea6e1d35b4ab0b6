import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../lib/logger.js';
import { reasonOf } from '../lib/root-cause.js';
import { backoffMs } from '../lib/backoff.js';
import { withinTrace } from '../lib/tracing.js';
import type { GenerationQueues, QueuedGeneration } from '../queue/generation-queue.js';
import type { DeliveryJob, WebhookQueue } from '../queue/webhook-queue.js';
import type { RoomLog } from '../redis/room-log.js';
import type { Database } from '../store/database.js';
import { hasOutbox, relayOutbox, type OutboxRow } from '../store/outbox.js';
import type { Room } from '../wire/room.js';
import type { Activity } from './activity.js';

interface RelayOptions {
  db: Database;
  roomLog: RoomLog;
  activity: Activity;
  queues: GenerationQueues;
  webhooks: WebhookQueue;
  log: Logger;
}

/**
 * Tells the room logs and the queues what Postgres has decided.
 *
 * Invariants:
 * - A room's rows are told in the order of their ids, events before jobs, each event once (T1 in `redis/lua/tell.lua`).
 * - A committed row is told: by the process that committed it; by the one that was relaying the room meanwhile, which
 *   looks again after it has let go of the lock; or, where either died, by the maintenance sweep.
 */
export class Relay {
  readonly #wanted = new Map<Room, { requests: number; done: Promise<void> }>();
  #closed = false;

  constructor(private readonly options: RelayOptions) {}

  /** Relays a room in the background, as often as it takes. Never throws, never delays the caller. */
  request(room: Room): void {
    const running = this.#wanted.get(room);
    if (running) {
      running.requests += 1;
      return;
    }
    const state = { requests: 1, done: Promise.resolve() };
    this.#wanted.set(room, state);
    state.done = this.#run(room, state);
  }

  /** Resolves once everything of the room that was committed before this call has been told. */
  async flush(room: Room, signal: AbortSignal): Promise<void> {
    for (let failures = 0; ;) {
      try {
        await this.#wanted.get(room)?.done;
        if (!(await hasOutbox(this.options.db, room))) return;
        await this.#relayOnce(room);
        // Where something is left, another process is at it.
        if (await hasOutbox(this.options.db, room)) await sleep(5, undefined, { signal });
      } catch (error) {
        signal.throwIfAborted();
        failures += 1;
        this.options.log.debug({ room, reason: reasonOf(error) }, 'relay failed');
        await sleep(backoffMs(failures, { baseMs: 50, maxMs: 1000 }), undefined, { signal });
      }
    }
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#wanted.values()].map(({ done }) => done));
  }

  async #run(room: Room, state: { requests: number }): Promise<void> {
    for (let failures = 0; failures < 5;) {
      const { requests } = state;
      try {
        await this.#relayOnce(room);
        // A request that came after the last look must be seen: nothing is awaited from here to the deletion.
        if (state.requests === requests) break;
        failures = 0;
      } catch (error) {
        failures += 1;
        this.options.log.warn({ room, reason: reasonOf(error) }, 'relay failed');
        if (this.#closed) break; // the sweep of another process takes over
        await sleep(backoffMs(failures, { baseMs: 50, maxMs: 1000 }));
      }
    }
    this.#wanted.delete(room);
  }

  async #relayOnce(room: Room): Promise<void> {
    const { db } = this.options;
    while ((await relayOutbox(db, room, (rows) => this.#tell(room, rows))) === 'more');
  }

  async #tell(room: Room, rows: OutboxRow[]): Promise<void> {
    const { roomLog, queues, webhooks, activity } = this.options;
    const events = rows.filter((row) => row.kind === 'event');
    if (events.length > 0)
      await roomLog.tell(
        room,
        events.map(({ id, type, data, ends }) => ({ outboxId: id, type, data, ends })),
      );
    if (events.length > 0) activity.note(room);
    for (const row of rows)
      if (row.kind === 'job') {
        const queued = JSON.parse(row.data) as QueuedGeneration;
        // Whoever relays it, and whenever: it belongs to the request that has asked for it.
        await withinTrace(queued.job.traceparent, () => queues.add(queued));
      } else if (row.kind === 'webhook') {
        await webhooks.add(JSON.parse(row.data) as DeliveryJob);
      }
  }
}
