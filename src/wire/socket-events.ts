import { z } from 'zod';
import type { Cursor } from './cursor.js';
import { isCursor } from './cursor.js';
import type { ErrorCode } from '../domain/errors.js';
import type { AnySnapshot, RoomSnapshot } from './room-events.js';

export const joinSchema = z.object({
  room: z.string(),
  after: z.string().refine(isCursor, 'is not a cursor').nullish(),
});
export const leaveSchema = z.object({ room: z.string() });
export const typingSchema = z.object({ room: z.string(), typing: z.boolean() });
export const authenticateSchema = z.object({ token: z.string() });

/** What a socket answers to a client's event. */
export type Ack<T> = ({ ok: true } & T) | { ok: false; error: { code: ErrorCode; message: string } };

/** Of a conversation's room, unless `S` says otherwise. */
export type JoinAck<S extends AnySnapshot = RoomSnapshot> = Ack<{
  resumed: boolean;
  cursor: Cursor;
  snapshot?: S;
}>;
