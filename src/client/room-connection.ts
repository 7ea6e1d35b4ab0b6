import { noCursor, type Cursor } from '../wire/cursor.js';
import type { AnySnapshot, RoomEventWith, RoomSnapshot } from '../wire/room-events.js';
import { CatchUp } from './catch-up.js';
import { Ladder } from './ladder.js';
import { lineMakers, type WatchedRoom } from './line-makers.js';
import type { Joined, Transport } from './line.js';
import { retryDelayMs } from './retry-delay.js';
import type { RoomState } from './room-state.js';
import type { ConnectionState, RoomConnectionOptions, RoomModel, RoomView } from './room-view.js';
import { SessionRenewal } from './session-renewal.js';
import { gaveUp, TokencastError } from './tokencast-error.js';
import { TypingNotice } from './typing-notice.js';

/**
 * Watches one room from construction to {@link close}, over a socket, an event stream or by polling, whichever works:
 * joins with the last cursor, applies what comes, and tries again with growing delays.
 *
 * `subscribe` and `getSnapshot` fit React's `useSyncExternalStore`.
 */
export class RoomConnection<
  S extends { readonly cursor: Cursor } = RoomState,
  Snapshot extends AnySnapshot = RoomSnapshot,
> {
  readonly #options: RoomConnectionOptions;
  readonly #listeners = new Set<() => void>();
  readonly #ladder: Ladder<Snapshot>;
  readonly #typing = new TypingNotice((typing) => {
    this.#ladder.line?.setTyping(typing);
  });
  #view: RoomView<S> = { room: null, connection: { state: 'connecting' }, transport: null };
  #joined = false;
  #failedTries = 0;
  /** Whether a refused token may be renewed: once for each time that one was taken. */
  #mayRenewRefused: boolean;
  #hasExpired = false;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #catchUp: CatchUp;
  readonly #renewal: SessionRenewal;

  constructor(
    private readonly watched: WatchedRoom<Snapshot>,
    private readonly model: RoomModel<S, Snapshot>,
    options: RoomConnectionOptions,
  ) {
    this.#options = options;
    this.#mayRenewRefused = options.renewToken !== undefined;
    this.#renewal = new SessionRenewal({
      renew: () => this.#renew(),
      onEnd: (sessionEndsAt) => {
        this.#amendLive({ sessionEndsAt });
        if (sessionEndsAt === null) this.#planRenewal(true);
      },
    });
    this.#catchUp = new CatchUp({
      noticeMs: options.caughtUpMs ?? 4_000,
      onNotice: (caughtUp) => {
        this.#amendLive({ caughtUp });
      },
    });
    this.#ladder = new Ladder(
      lineMakers(watched, options),
      {
        after: () => this.#view.room?.cursor,
        joined: (joined, transport) => {
          this.#admitted(joined, transport);
        },
        received: (event) => {
          this.#receive(event);
        },
        replaced: (snapshot, cursor) => {
          this.#setRoom(this.model.fromSnapshot(snapshot, cursor, this.#view.room));
        },
        looked: (snapshot) => {
          this.#setRoom(this.#afterLook(snapshot));
        },
        lost: (error) => {
          this.#lost(error);
        },
        refused: (error) => {
          void this.#refused(error);
        },
      },
      options.betterWayMs ?? 30_000,
    );
    browserWindow?.addEventListener('online', this.reconnect);
    browserWindow?.addEventListener('offline', this.#leftNetwork);
    options.signal?.addEventListener('abort', this.#aborted);
    if (options.signal?.aborted) this.#end(null);
    else this.#ladder.open(0);
  }

  /** Calls `listener` after every change. Returns the way out. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly getSnapshot = (): RoomView<S> => this.#view;

  /** Tries at once what would be tried later. Does nothing while connecting, live or closed. */
  readonly reconnect = (): void => {
    const { state } = this.#view.connection;
    if (state !== 'reconnecting' && state !== 'offline') return;
    clearTimeout(this.#retryTimer);
    this.#setConnection({ state: 'connecting' });
    this.#ladder.open(this.#failedTries);
  };

  /** A dead connection says nothing by itself for most of a minute; one that still works is back at the next try. */
  readonly #leftNetwork = (): void => {
    if (this.#joined) this.#lost(new TokencastError('unreachable', 'The network is gone.'));
  };

  readonly #aborted = (): void => {
    this.#end(null);
  };

  /** Asks for the room as it is now, for what its events do not tell. Does nothing while it is not live. */
  readonly refresh = (): void => {
    if (this.#joined) this.#ladder.line?.refresh();
  };

  /** Adds to the state what was learned elsewhere, such as older history. Does nothing before the first join. */
  amend(change: (state: S) => S): void {
    const { room } = this.#view;
    if (room) this.#setRoom(change(room));
  }

  /** Tells the room that its watcher is typing: call it at every keystroke, and with false when the text is gone. */
  readonly setTyping = (typing: boolean): void => {
    this.#typing.set(typing);
  };

  /** Leaves the room for good. Calling it again does nothing. */
  close(): void {
    this.#end(null);
  }

  #admitted({ resumed, cursor, snapshot }: Joined<Snapshot>, transport: Transport): void {
    const { room, transport: before } = this.#view;
    this.#joined = true;
    this.#failedTries = 0;
    this.#mayRenewRefused = this.#options.renewToken !== undefined;
    if (!resumed && snapshot)
      this.#view = {
        ...this.#view,
        room:
          transport === 'polling'
            ? this.#afterLook(snapshot)
            : this.model.fromSnapshot(snapshot, cursor, room),
      };
    this.#view = { ...this.#view, transport };
    this.#setConnection({ state: 'live', caughtUp: null, sessionEndsAt: null });
    this.#planRenewal();
    // A better way in place of the one that was used is no return.
    if (room === null || before !== null) return;
    if (resumed) this.#catchUp.beginReplay();
    else this.#catchUp.replaced();
  }

  #afterLook(snapshot: Snapshot): S {
    const { room } = this.#view;
    return room && this.model.fromLook
      ? this.model.fromLook(snapshot, room)
      : this.model.fromSnapshot(snapshot, noCursor, room);
  }

  #receive(event: RoomEventWith<Snapshot>): void {
    if (event.type === 'session.expiring') this.#renewal.begin();
    if (event.type === 'session.expired') this.#hasExpired = true;
    if (!this.#joined || !this.#view.room || event.room !== this.watched.room) return;
    const room = this.model.reduce(this.#view.room, event);
    this.#view = { ...this.#view, room };
    if (event.cursor !== undefined) this.#catchUp.saw(event.at);
    this.#notify();
  }

  /** Sockets are told when their session is about to end. */
  #planRenewal(isAgain = false): void {
    const { transport } = this.#view;
    const { renewToken, getToken } = this.#options;
    if (renewToken && transport !== null && transport !== 'websocket')
      this.#renewal.plan(getToken(), isAgain);
  }

  /** Goes on under a fresh token without a break. */
  async #renew(): Promise<void> {
    const { renewToken, getToken } = this.#options;
    if (!renewToken) throw new Error('nobody makes tokens here');
    await renewToken();
    await this.#ladder.line?.authenticate(getToken());
  }

  async #refused(error: TokencastError): Promise<void> {
    const { renewToken } = this.#options;
    this.#ladder.close();
    if (error.code !== 'unauthenticated' || !renewToken || !this.#mayRenewRefused) {
      this.#end(error);
      return;
    }
    this.#mayRenewRefused = false;
    this.#left();
    this.#setConnection({ state: 'connecting' });
    try {
      await renewToken();
    } catch {
      this.#end(error);
      return;
    }
    if (!this.#isClosed()) this.#ladder.open(this.#failedTries);
  }

  #lost(error: TokencastError): void {
    if (this.#isClosed()) return;
    this.#ladder.close();
    this.#left();
    const { maxRetries = Number.POSITIVE_INFINITY, retryDelayMs: firstMs } = this.#options;
    if (this.#failedTries >= maxRetries) {
      this.#end(gaveUp(error));
      return;
    }
    // A session that has ended is no failure: there may be another by now.
    const delayMs = this.#hasExpired ? 0 : retryDelayMs(this.#failedTries, Math.random(), firstMs);
    this.#failedTries += 1;
    this.#hasExpired = false;
    this.#retryTimer = setTimeout(this.reconnect, delayMs);
    this.#setConnection(
      isOffline() ? { state: 'offline' } : { state: 'reconnecting', retryAt: Date.now() + delayMs },
    );
  }

  #end(error: TokencastError | null): void {
    if (this.#isClosed()) return;
    browserWindow?.removeEventListener('online', this.reconnect);
    browserWindow?.removeEventListener('offline', this.#leftNetwork);
    this.#options.signal?.removeEventListener('abort', this.#aborted);
    this.#left();
    this.#setConnection({ state: 'closed', error });
    this.#ladder.close();
  }

  /** What belongs to a connection ends with it. */
  #left(): void {
    this.#joined = false;
    clearTimeout(this.#retryTimer);
    this.#catchUp.stop();
    this.#renewal.stop();
    this.#view = { ...this.#view, transport: null };
  }

  #isClosed(): boolean {
    return this.#view.connection.state === 'closed';
  }

  #amendLive(change: Partial<Extract<ConnectionState, { state: 'live' }>>): void {
    const { connection } = this.#view;
    if (connection.state === 'live') this.#setConnection({ ...connection, ...change });
  }

  #setRoom(room: S): void {
    if (room === this.#view.room) return;
    this.#view = { ...this.#view, room };
    this.#notify();
  }

  #setConnection(connection: ConnectionState): void {
    this.#view = { ...this.#view, connection };
    this.#notify();
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Node has no such events. */
const browserWindow = typeof window === 'undefined' ? undefined : window;

/** Node has a `navigator` without `onLine`: it never says that it is offline. */
const isOffline = (): boolean => (globalThis.navigator as Partial<Navigator> | undefined)?.onLine === false;
