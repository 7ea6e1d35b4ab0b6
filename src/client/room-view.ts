import type { Cursor } from '../wire/cursor.js';
import type { AnySnapshot, RoomEventWith } from '../wire/room-events.js';
import type { CaughtUp } from './catch-up.js';
import type { LineOptions } from './line-makers.js';
import type { Transport } from './line.js';
import type { RoomState } from './room-state.js';
import type { TokencastError } from './tokencast-error.js';

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
  /** For good: closed by the owner (`error` null), refused by the server, or given up (`gave_up`). */
  | { readonly state: 'closed'; readonly error: TokencastError | null };

/** One moment of a watched room. The same object until something changes. */
export interface RoomView<S = RoomState> {
  /** Null until the first join is answered. */
  readonly room: S | null;
  readonly connection: ConnectionState;
  /** How events come now; null while they do not. */
  readonly transport: Transport | null;
}

/** How the state of a kind of room is made: from a snapshot, and by one event after the other. */
export interface RoomModel<S, Snapshot extends AnySnapshot> {
  fromSnapshot: (snapshot: Snapshot, cursor: Cursor, held: S | null) => S;
  reduce: (state: S, event: RoomEventWith<Snapshot>) => S;
  /** The state after a look at the room; default: what a snapshot makes. Its cursor has to be `noCursor`. */
  fromLook?: (snapshot: Snapshot, held: S) => S;
}

export interface RoomConnectionOptions extends Partial<LineOptions> {
  /** The token of the moment; asked at every connect. */
  getToken: () => string | null;
  /**
   * Makes `getToken` give a fresh token of the same user; asked for a minute before the one of now ends, and once where
   * it is refused.
   */
  renewToken?: () => Promise<unknown>;
  /** How long `caughtUp` stands. Default 4,000 ms. */
  caughtUpMs?: number;
  /** How many tries may fail after the first, since the last success, before it gives up. Default: it never does. */
  maxRetries?: number;
  /** The most that the first retry waits, in ms; doubles with each that fails. Default 500 ms. */
  retryDelayMs?: number;
  /** How long a way that is not the best is used before better ones are tried again. Default 30,000 ms. */
  betterWayMs?: number;
  /** Closes the connection when it fires. */
  signal?: AbortSignal;
}
