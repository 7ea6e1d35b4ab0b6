import type { Cursor } from '../wire/cursor.js';
import type { AnySnapshot, RoomEventWith } from '../wire/room-events.js';
import type { TokencastError } from './tokencast-error.js';

/** How events come: over a socket, over an event stream, or by asking again and again. The best first. */
export const transports = ['websocket', 'sse', 'polling'] as const;
export type Transport = (typeof transports)[number];

/** The answer to a join; `snapshot` where the room could not be resumed. */
export interface Joined<Snapshot extends AnySnapshot> {
  readonly resumed: boolean;
  readonly cursor: Cursor;
  readonly snapshot?: Snapshot;
}

/** What a line asks and tells its owner. After `lost`, `refused`, or its `close` it says nothing more. */
export interface LineListener<Snapshot extends AnySnapshot> {
  /** Where to go on from; undefined: from a snapshot. */
  after: () => Cursor | undefined;
  /** The way to the server works. */
  opened: () => void;
  /** Once, before anything of the room comes. */
  joined: (joined: Joined<Snapshot>) => void;
  received: (event: RoomEventWith<Snapshot>) => void;
  /** The room as it is at the cursor: what {@link Line.refresh} asked for. */
  replaced: (snapshot: Snapshot, cursor: Cursor) => void;
  /** The room as it is now, where no events say how it came to be so. */
  looked: (snapshot: Snapshot) => void;
  /** It is over; another try may work. `isBlocked`: perhaps only this way does not work. */
  lost: (error: TokencastError, isBlocked: boolean) => void;
  /** The server has said no, and would say it again. */
  refused: (error: TokencastError) => void;
}

/** One connection, of one kind, by which one room is watched. */
export interface Line {
  readonly transport: Transport;
  /** Asks for the room as it is now. */
  refresh(): void;
  /** Nothing where the way has no words for it. */
  setTyping(typing: boolean): void;
  /** Goes on under a fresh token. Rejects when that is not taken. */
  authenticate(token: string | null): Promise<void>;
  close(): void;
}

const finalCodes = ['unauthenticated', 'forbidden', 'not_found', 'invalid_request'] as const;

/** Refusals that the same try would meet again. */
export const isFinal = (code: unknown): code is (typeof finalCodes)[number] =>
  finalCodes.some((final) => final === code);
