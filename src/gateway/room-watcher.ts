import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../domain/errors.js';
import { backoffMs } from '../lib/backoff.js';
import type { Logger } from '../lib/logger.js';
import { reasonOf } from '../lib/root-cause.js';
import type { RoomListener } from '../redis/room-feed.js';
import type { RoomHub, RoomWatch } from '../redis/room-hub.js';
import type { LogEntry } from '../redis/room-log.js';
import { isAtOrBefore, noCursor, type Cursor } from '../wire/cursor.js';
import type { AnySnapshot } from '../wire/room-events.js';
import type { Room } from '../wire/room.js';
import { Frame } from './frame.js';
import type { LogReader } from './log-reader.js';
import type { GatewayMetrics } from './gateway-metrics.js';
import { questionsRights, type WatchRight } from './watch-right.js';

/** A client's connection, as a watcher sees it. */
export interface Sink {
  /** Hands an event to the transport, which keeps it until the client has taken it. */
  send(frame: Frame): void;
  /** More is waiting for the client than it may: it is behind. */
  readonly congested: boolean;
  /** Resolves when the client is no longer behind, or is gone. */
  drained(): Promise<void>;
  /**
   * Has the client written to together with others, from the entry behind `cursor` on. Undefined where it cannot be for
   * now.
   */
  join?(room: Room, cursor: Cursor, member: GroupMember): Membership | undefined;
}

/** A live client, as those see it who write to several together. */
export interface GroupMember {
  /** More is waiting for the client than it may. */
  readonly congested: boolean;
  /** The client has got the entries up to `cursor`, and is written to alone from here on. */
  goOnAlone(cursor: Cursor): void;
}

/** A client's place among those who are written to together. */
export interface Membership {
  /** Gets the entries in the place of the client. */
  listener: RoomListener;
  /** Up to where the client has got them. */
  cursor: () => Cursor;
  leave: () => void;
}

/** What a client's watcher of a room is made of. */
export interface WatcherOptions {
  room: Room;
  hub: RoomHub;
  reader: LogReader;
  sink: Sink;
  right: WatchRight;
  /** The room as this client may see it. @throws AppError not_found when it may no longer */
  snapshot: () => Promise<{ cursor: Cursor; snapshot: AnySnapshot }>;
  /** Whether the client gets this frame at all; all by default. */
  wants?: (frame: Frame) => boolean;
  /** Called after a frame has been sent. */
  onSent?: (frame: Frame) => void;
  /** Called when the right has gone and the client has been told so. The watcher is closed then. */
  onEnd: () => void;
  metrics?: GatewayMetrics | undefined;
  log: Logger;
}

export interface JoinResult {
  resumed: boolean;
  cursor: Cursor;
  snapshot?: AnySnapshot;
}

/**
 * One client's view of one room, for sockets and event streams alike.
 *
 * Invariants:
 * - The client has got exactly the entries up to `cursor`, by snapshot, from the log, or from the feed.
 * - It is `live` (fed by the hub) only from an instant at which its cursor was the feed's last entry or one that the
 *   feed has still to deliver; those up to it are skipped then.
 * - What the feed has still to deliver is skipped only after the log has said that the cursor is in it: ids of another
 *   life of the log cannot be compared.
 * - While it is live, others may write to it together with their clients. It is fed by either of them: it changes over only
 *   where both are at the same entry.
 * - Whoever is behind is not live: it gets nothing more until it has drained, then goes on from its cursor in the log.
 * - Behind an event that questions the right to watch, the client gets nothing until Postgres has said that it stands.
 *   Where it does not, or a snapshot is refused, the last thing that the client gets tells it so.
 */
export class RoomWatcher implements RoomListener, GroupMember {
  #state: 'joining' | 'catching up' | 'live' | 'closed' = 'joining';
  #cursor: Cursor = noCursor;
  #skipTo: Cursor | undefined;
  #stale = false;
  #running = false;
  /** The event behind which the right has to be asked for. */
  #question: Frame | undefined;
  #first: Frame[] = [];
  /** Who is here, as it was told while the client was not live: nobody says it again before that changes. */
  #presence: Frame | undefined;
  #watch: RoomWatch | undefined;
  #membership: Membership | undefined;

  constructor(private readonly options: WatcherOptions) {}

  /** Where the client is. */
  get cursor(): Cursor {
    return this.#membership?.cursor() ?? this.#cursor;
  }

  get congested(): boolean {
    return this.options.sink.congested;
  }

  /**
   * Finds out where the client goes on: behind `after` where the log allows it, else from a snapshot. Nothing is sent
   * before `start`.
   *
   * @throws AppError not_found; unavailable when it is closed meanwhile; any error when a store does not answer. The
   * watcher is closed then
   */
  async join(after: Cursor | undefined): Promise<JoinResult> {
    const { room, hub, reader, snapshot } = this.options;
    try {
      const watch = await hub.watch(room, this);
      this.#watch = watch;
      this.#throwIfClosed();
      // A reset from here on may be one of what is read now: it is answered by a snapshot.
      this.#stale = false;
      const frames = after === undefined || after === noCursor ? undefined : await reader.read(room, after);
      this.#throwIfClosed();
      if (after !== undefined && frames) {
        this.#cursor = after;
        this.#first = frames;
        this.options.metrics?.joined('resumed');
        return { resumed: true, cursor: after };
      }
      this.#stale = false;
      const view = await snapshot();
      this.#throwIfClosed();
      this.#cursor = view.cursor;
      this.options.metrics?.joined('snapshot');
      return { resumed: false, ...view };
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Begins to send, after the client has been told how it joined. */
  start(): void {
    if (this.#state !== 'joining') return;
    if (!this.options.sink.congested) this.#sendWhileMay(this.#first);
    this.#first = [];
    this.#catchUp();
  }

  close(): void {
    this.#state = 'closed';
    this.#first = [];
    this.#membership?.leave();
    this.#membership = undefined;
    this.#watch?.close();
    this.#watch = undefined;
  }

  entry(entry: LogEntry): void {
    if (this.#state !== 'live') return;
    if (this.#skipTo !== undefined) {
      if (entry.cursor === this.#skipTo) this.#skipTo = undefined;
      return;
    }
    // It has just left others that had got it.
    if (entry.cursor === this.#cursor) return;
    if (!questionsRights(entry.type) && this.#join()) return;
    this.#send(Frame.of(entry));
    if (this.#mustPause()) this.#catchUp();
    else this.#join();
  }

  goOnAlone(cursor: Cursor): void {
    this.#cursor = cursor;
    this.#membership = undefined;
    this.#watch?.listen(this);
    if (this.#state === 'live' && this.congested) this.#catchUp();
  }

  unlogged(event: Omit<LogEntry, 'cursor'>): void {
    const { sink } = this.options;
    if (this.#isClosed()) return;
    const isPresence = event.type === 'presence';
    if (this.#state !== 'live' || sink.congested) {
      if (isPresence) this.#presence = Frame.of(event);
      return;
    }
    if (isPresence) this.#presence = undefined;
    const frame = Frame.of(event);
    if (this.#wants(frame)) sink.send(frame);
  }

  reset(): void {
    this.#stale = true;
    if (this.#state === 'live') this.#catchUp();
  }

  /** From here on the client is written to together with others. False: not yet. */
  #join(): boolean {
    const { room, sink } = this.options;
    this.#membership = sink.join?.(room, this.#cursor, this);
    if (!this.#membership) return false;
    this.#watch?.listen(this.#membership.listener);
    return true;
  }

  #isClosed(): boolean {
    return this.#state === 'closed';
  }

  #throwIfClosed(): void {
    if (!this.#isClosed()) return;
    this.close();
    throw new AppError('unavailable', 'The client has left.');
  }

  /** Sends as much as the client may have, the first in any case; the rest is read again behind the cursor. */
  #sendWhileMay(frames: readonly Frame[]): void {
    for (const frame of frames) {
      this.#send(frame);
      if (this.#mustPause()) return;
    }
  }

  /** Nothing more may be sent before something has been waited for. */
  #mustPause(): boolean {
    return this.#question !== undefined || this.congested;
  }

  #send(frame: Frame): void {
    const { sink, right, onSent } = this.options;
    if (this.#isClosed()) return;
    if (frame.cursor !== undefined) this.#cursor = frame.cursor;
    if (right.isQuestionedBy(frame)) this.#question = frame;
    if (!this.#wants(frame)) return;
    sink.send(frame);
    onSent?.(frame);
  }

  #wants(frame: Frame): boolean {
    return this.options.wants?.(frame) ?? true;
  }

  #catchUp(): void {
    if (this.#isClosed()) return;
    this.#state = 'catching up';
    this.#skipTo = undefined;
    if (!this.#running) void this.#run();
  }

  /** Runs once at a time: an entry may end a life at the live edge before the run that led there has come to its end. */
  async #run(): Promise<void> {
    this.#running = true;
    for (let failures = 0; this.#state === 'catching up';) {
      try {
        if (this.#question) {
          await this.#askRight(this.#question);
          continue;
        }
        await this.options.sink.drained();
        if (this.#isClosed()) return;
        await this.#step();
        failures = 0;
      } catch (error) {
        if (this.#isClosed()) return;
        failures += 1;
        this.options.log.debug({ room: this.options.room, reason: reasonOf(error) }, 'catching up failed');
        await sleep(backoffMs(failures, { baseMs: 50, maxMs: 1000 }));
      }
    }
    this.#running = false;
  }

  /** One step towards the live edge. */
  async #step(): Promise<void> {
    const { room, reader } = this.options;
    if (this.#stale) {
      await this.#resynchronise();
      return;
    }
    if (this.#cursor === this.#watch?.last) {
      this.#goLive();
      return;
    }
    const frames = await reader.read(room, this.#cursor);
    if (frames === undefined) {
      this.#stale = true;
      return;
    }
    // A reset while the log was read: the frames are good, and the snapshot follows.
    this.#sendWhileMay(frames);
    if (this.#mustPause()) return;
    const last = this.#watch?.last;
    if (this.#cursor === last) {
      this.#goLive();
    } else if (frames.length > 0) {
      // They may have been read for another, a moment ago: only the log's end says that the cursor is in it now.
      return;
    } else if (last !== undefined && !isAtOrBefore(this.#cursor, last)) {
      this.#goLive(this.#cursor);
    } else {
      // At the log's end, but the feed is elsewhere: it has missed something.
      this.#watch?.fill();
      await sleep(20);
    }
  }

  /** Sends a snapshot in place of what the log cannot tell, or ends where it is refused. */
  async #resynchronise(): Promise<void> {
    const { room, snapshot, metrics } = this.options;
    // A reset from here on may be one of what is read now.
    this.#stale = false;
    try {
      const view = await snapshot().catch(refusal);
      if (view === undefined) {
        await this.#end({ told: false });
        return;
      }
      const at = new Date().toISOString();
      const data = JSON.stringify({ type: 'snapshot', room, at, snapshot: view.snapshot });
      this.#send(new Frame('snapshot', view.cursor, data));
      metrics?.resynchronised();
    } catch (error) {
      this.#stale = true;
      throw error;
    }
  }

  async #askRight(question: Frame): Promise<void> {
    if (await this.options.right.stands()) this.#question = undefined;
    else await this.#end({ told: this.#wants(question) });
  }

  /** Ends, as the right has gone. `told`: the client has got the event of the log that says so. */
  async #end({ told }: { told: boolean }): Promise<void> {
    const { right, sink, onEnd } = this.options;
    const farewell = told ? undefined : await right.farewell();
    if (this.#isClosed()) return;
    if (farewell) sink.send(farewell);
    this.close();
    onEnd();
  }

  /** From here on the feed serves the client; what it has still to deliver up to `skipTo`, the client has. */
  #goLive(skipTo?: Cursor): void {
    if (this.#state !== 'catching up' || this.#stale) return;
    this.#skipTo = skipTo;
    this.#state = 'live';
    const presence = this.#presence;
    this.#presence = undefined;
    if (presence && this.#wants(presence)) this.options.sink.send(presence);
  }
}

/** Makes undefined of a refusal. @throws what is none: a store does not answer */
function refusal(error: unknown): undefined {
  if (!(error instanceof AppError) || error.code === 'unavailable') throw error;
}
