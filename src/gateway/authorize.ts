import type { MemberRole, User } from '../domain/conversation.js';
import { AppError } from '../domain/errors.js';
import { findDocumentOf } from '../store/documents.js';
import { parseRoom, type Room, type RoomKind } from '../wire/room.js';
import type { Gateway } from './gateway.js';
import { documentRight, memberRight, ownRight, type WatchRight } from './watch-right.js';

/** A room that somebody may watch, and as what. */
export interface RoomTarget {
  room: Room;
  kind: RoomKind;
  /** The conversation's, document's or user's. */
  id: string;
  role: MemberRole;
  /** Stands at first. */
  right: WatchRight;
}

/**
 * The room of this name, if the user may watch it. @throws AppError not_found, whatever the reason
 *
 * @param thing what was asked for, in a word
 */
export async function authorizeRoom(
  { db, memberships }: Pick<Gateway, 'db' | 'memberships'>,
  name: unknown,
  user: User,
  thing = 'room',
): Promise<RoomTarget> {
  const parsed = parseRoom(name);
  switch (parsed?.kind) {
    case 'conversation': {
      const membership = await memberships.find(parsed.id, user.id);
      if (!membership) break;
      const { role, conversation } = membership;
      return { ...parsed, kind: parsed.kind, role, right: memberRight(db, user, conversation) };
    }
    case 'user':
      if (parsed.id === user.id) return { ...parsed, kind: parsed.kind, role: 'owner', right: ownRight };
      break;
    case 'document':
      if (!(await findDocumentOf(db, parsed.id, user.id))) break;
      return { ...parsed, kind: parsed.kind, role: 'owner', right: documentRight(db, user, parsed.id) };
    case undefined:
      break;
  }
  throw new AppError('not_found', `There is no such ${thing}.`);
}
