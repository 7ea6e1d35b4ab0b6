import { io, type Socket } from 'socket.io-client';
import type { Cursor } from '../wire/cursor.js';
import type { Room } from '../wire/room.js';
import type { AnySnapshot, RoomEventWith, RoomSnapshot } from '../wire/room-events.js';
import type { Ack, JoinAck } from '../wire/socket-events.js';
import { CatchUp, type CaughtUp } from './catch-up.js';
import { retryDelayMs } from './retry-delay.js';
import type { RoomState } from './room-state.js';
import { SessionRenewal } from './session-renewal.js';
import { TokencastError } from './tokencast-error.js';
import { TypingNotice } from './typing-notice.js';

/** How the connection stands. Only in `live` is the room's state known to be the state of now. */
export type ConnectionState =
  | { readonly state: 'connecting' }
  /**
   * `caughtUp` stands for a few seconds after a connection that came back; `sessionEndsAt`, in ms since the epoch, is
   * there once the session is about to end and could not be renewed.
   */
  | { readonly state: 'live'; readonly caughtUp: CaughtUp | null; readonly sessionEndsAt: number | null }
  /** `retryAt`: time of the next try, in ms since the epoch. */
  | { readonly state: 'reconnecting'; readonly retryAt: number }
  /** The machine says that it has no network; tries go on quietly. */
  | { readonly state: 'offline' }
  /** For good: closed by the owner (`error` null) or refused by the server. */
  | { readonly state: 'closed'; readonly error: TokencastError | null };

/** One moment of a watched room. The same object until something changes. */
export interface RoomView<S = RoomState> {
  /** Null until the first join is answered. */
  readonly room: S | null;
  readonly connection: ConnectionState;
}

/** How the state of a kind of room is made: from a snapshot, and by one event after the other. */
interface RoomModel<S, Snapshot extends AnySnapshot> {
  fromSnapshot: (snapshot: Snapshot, cursor: Cursor) => S;
  reduce: (state: S, event: RoomEventWith<Snapshot>) => S;
}

export interface RoomConnectionOptions {
  /** The token of the moment; asked at every connect. */
  getToken: () => string | null;
  /** Makes `getToken` give a fresh token of the same user; asked for a minute before the one of now ends. */
  renewToken?: () => Promise<unknown>;
  /** Root of the server; default: the page's own. */
  url?: string;
  /** How long an unanswered connect or join is waited for. Default 10,000 ms. */
  timeoutMs?: number;
  /** How long `caughtUp` stands. Default 4,000 ms. */
  caughtUpMs?: number;
}

/**
 * Watches one room over Socket.IO from construction to {@link close}: joins on every connect with the last cursor,
 * applies what comes, tries again with growing delays, and never gives up unless the server refuses.
 *
 * `subscribe` and `getSnapshot` fit React's `useSyncExternalStore`.
 */
export class RoomConnection<
  S extends { readonly cursor: Cursor } = RoomState,
  Snapshot extends AnySnapshot = RoomSnapshot,
> {
  readonly #options: Required<Pick<RoomConnectionOptions, 'timeoutMs' | 'caughtUpMs'>> &
    RoomConnectionOptions;
  readonly #socket: Socket;
  readonly #listeners = new Set<() => void>();
  readonly #typing = new TypingNotice((typing) => {
    // Volatile: what is not told now need not be told later.
    this.#socket.volatile.emit('typing', { room: this.room, typing });
  });
  #view: RoomView<S> = { room: null, connection: { state: 'connecting' } };
  #joined = false;
  #failedTries = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #catchUp: CatchUp;
  readonly #renewal = new SessionRenewal({
    renew: () => this.#renew(),
    onEnd: (sessionEndsAt) => {
      this.#amendLive({ sessionEndsAt });
    },
  });

  constructor(
    private readonly room: Room,
    private readonly model: RoomModel<S, Snapshot>,
    options: RoomConnectionOptions,
  ) {
    this.#options = { timeoutMs: 10_000, caughtUpMs: 4_000, ...options };
    this.#catchUp = new CatchUp({
      noticeMs: this.#options.caughtUpMs,
      onNotice: (caughtUp) => {
        this.#amendLive({ caughtUp });
      },
    });
    const socketOptions = {
      forceNew: true,
      autoConnect: false,
      reconnection: false,
      timeout: this.#options.timeoutMs,
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
      auth: (answer: (data: object) => void) => {
        answer({ token: options.getToken() });
      },
    };
    this.#socket = options.url === undefined ? io(socketOptions) : io(options.url, socketOptions);
    this.#socket.on('connect', () => {
      this.#join();
    });
    this.#socket.on('disconnect', () => {
      this.#lost();
    });
    this.#socket.on('connect_error', (error) => {
      this.#refusedOrLost(error);
    });
    this.#socket.onAny((_type: string, event: RoomEventWith<Snapshot>) => {
      this.#receive(event);
    });
    browserWindow?.addEventListener('online', this.reconnect);
    browserWindow?.addEventListener('offline', this.#leftNetwork);
    this.#socket.connect();
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
    this.#socket.connect();
  };

  /** A dead connection says nothing by itself for most of a minute; one that still works is back at the next try. */
  readonly #leftNetwork = (): void => {
    if (this.#socket.connected) this.#tryAgainLater();
  };

  /** Asks for the room as it is now, for what its events do not tell. Does nothing while it is not live. */
  readonly refresh = (): void => {
    if (!this.#joined) return;
    this.#socket
      .timeout(this.#options.timeoutMs)
      .emit('join', { room: this.room }, (error: Error | null, ack: JoinAck<Snapshot>) => {
        if (error || !ack.ok || !ack.snapshot || !this.#joined) return;
        this.#view = { ...this.#view, room: this.model.fromSnapshot(ack.snapshot, ack.cursor) };
        this.#notify();
      });
  };

  /** Adds to the state what was learned elsewhere, such as older history. Does nothing before the first join. */
  amend(change: (state: S) => S): void {
    const { room } = this.#view;
    const changed = room && change(room);
    if (changed === room) return;
    this.#view = { ...this.#view, room: changed };
    this.#notify();
  }

  /** Tells the room that its watcher is typing: call it at every keystroke, and with false when the text is gone. */
  readonly setTyping = (typing: boolean): void => {
    this.#typing.set(typing);
  };

  /** Leaves the room for good. Calling it again does nothing. */
  close(): void {
    this.#end(null);
  }

  #join(): void {
    const after = this.#view.room?.cursor;
    const payload = after === undefined ? { room: this.room } : { room: this.room, after };
    // A callback, not a promise: events may follow the ack in the same turn.
    this.#socket
      .timeout(this.#options.timeoutMs)
      .emit('join', payload, (error: Error | null, ack: JoinAck<Snapshot>) => {
        if (this.#view.connection.state === 'closed' || !this.#socket.connected) return;
        if (error) this.#tryAgainLater();
        else if (ack.ok) this.#admitted(ack, after);
        else if (isFinal(ack.error.code)) this.#end(new TokencastError(ack.error.code, ack.error.message));
        else this.#tryAgainLater();
      });
  }

  #admitted(
    { resumed, cursor, snapshot }: Extract<JoinAck<Snapshot>, { ok: true }>,
    after: Cursor | undefined,
  ): void {
    this.#joined = true;
    this.#failedTries = 0;
    const isReturn = after !== undefined;
    if (!resumed && snapshot) this.#view = { ...this.#view, room: this.model.fromSnapshot(snapshot, cursor) };
    this.#setConnection({ state: 'live', caughtUp: null, sessionEndsAt: null });
    if (!isReturn) return;
    if (resumed) this.#catchUp.beginReplay();
    else this.#catchUp.replaced();
  }

  #receive(event: RoomEventWith<Snapshot>): void {
    if (event.type === 'session.expiring') this.#renewal.begin();
    if (!this.#joined || !this.#view.room || event.room !== this.room) return;
    this.#view = { ...this.#view, room: this.model.reduce(this.#view.room, event) };
    if (event.cursor !== undefined) this.#catchUp.saw(event.at);
    this.#notify();
  }

  /** Goes on under a fresh token without a break. */
  async #renew(): Promise<void> {
    const { renewToken, getToken, timeoutMs } = this.#options;
    if (!renewToken) throw new Error('nobody makes tokens here');
    await renewToken();
    const answer: Promise<unknown> = this.#socket
      .timeout(timeoutMs)
      .emitWithAck('authenticate', { token: getToken() });
    const ack = (await answer) as Ack<object>;
    if (!ack.ok) throw new TokencastError(ack.error.code, ack.error.message);
  }

  #refusedOrLost(error: Error & { data?: { code?: unknown } }): void {
    const code = error.data?.code;
    if (isFinal(code)) this.#end(new TokencastError(code, error.message));
    else this.#lost();
  }

  /** Ends the connection ourselves; its `disconnect` plans the next try. */
  #tryAgainLater(): void {
    this.#socket.disconnect();
  }

  #lost(): void {
    if (this.#view.connection.state === 'closed') return;
    this.#joined = false;
    this.#catchUp.stop();
    this.#renewal.stop();
    clearTimeout(this.#retryTimer);
    const delayMs = retryDelayMs(this.#failedTries++);
    this.#retryTimer = setTimeout(this.reconnect, delayMs);
    this.#setConnection(
      isOffline() ? { state: 'offline' } : { state: 'reconnecting', retryAt: Date.now() + delayMs },
    );
  }

  #end(error: TokencastError | null): void {
    if (this.#view.connection.state === 'closed') return;
    browserWindow?.removeEventListener('online', this.reconnect);
    browserWindow?.removeEventListener('offline', this.#leftNetwork);
    clearTimeout(this.#retryTimer);
    this.#catchUp.stop();
    this.#renewal.stop();
    this.#joined = false;
    this.#setConnection({ state: 'closed', error });
    this.#socket.disconnect();
  }

  #amendLive(change: Partial<Extract<ConnectionState, { state: 'live' }>>): void {
    const { connection } = this.#view;
    if (connection.state === 'live') this.#setConnection({ ...connection, ...change });
  }

  #setConnection(connection: ConnectionState): void {
    this.#view = { ...this.#view, connection };
    this.#notify();
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}

const finalCodes = ['unauthenticated', 'forbidden', 'not_found', 'invalid_request'] as const;

/** Refusals that the same try would meet again. */
const isFinal = (code: unknown): code is (typeof finalCodes)[number] =>
  finalCodes.some((final) => final === code);

/** Node has no such events. */
const browserWindow = typeof window === 'undefined' ? undefined : window;

/** Node has a `navigator` without `onLine`: it never says that it is offline. */
const isOffline = (): boolean => (globalThis.navigator as Partial<Navigator> | undefined)?.onLine === false;
