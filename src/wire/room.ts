/** Names of rooms: what clients watch, and whose key prefix carries all Redis keys of its log. */

export type Room = `conversation:${string}` | `document:${string}` | `user:${string}`;
export type RoomKind = 'conversation' | 'document' | 'user';

export const conversationRoom = (conversationId: string): Room => `conversation:${conversationId}`;
export const documentRoom = (documentId: string): Room => `document:${documentId}`;

/** The one room that a generation belongs to. */
export function generationRoom({
  conversationId,
  documentId,
}: {
  conversationId: string | null;
  documentId: string | null;
}): Room {
  if (conversationId !== null) return conversationRoom(conversationId);
  if (documentId !== null) return documentRoom(documentId);
  throw new Error('a generation belongs to a conversation or a document');
}

export const userRoom = (userId: string): Room => `user:${userId}`;

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether this may be the id of one of our rows. */
export const isUuid = (value: unknown): value is string => typeof value === 'string' && uuid.test(value);

/** The parts of a room's name; undefined: no room can have this name. User ids may be any string. */
export function parseRoom(name: unknown): { room: Room; kind: RoomKind; id: string } | undefined {
  if (typeof name !== 'string' || name.length > 512) return undefined;
  const colon = name.indexOf(':');
  const kind = name.slice(0, colon);
  const id = name.slice(colon + 1);
  switch (kind) {
    case 'conversation':
    case 'document':
      return isUuid(id) ? { room: `${kind}:${id}`, kind, id } : undefined;
    case 'user':
      return id ? { room: `user:${id}`, kind, id } : undefined;
    default:
      return undefined;
  }
}
