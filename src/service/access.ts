import { mayWrite, type MemberRole } from '../domain/conversation.js';
import { AppError, noSuch } from '../domain/errors.js';
import { together } from '../lib/together.js';
import { lockConversation, type ConversationRow } from '../store/conversations.js';
import { findRole } from '../store/members.js';
import type { Executor, Transaction } from '../store/database.js';
import { isUuid } from '../wire/room.js';

/** What a caller wants to do with a conversation: look, take part, or decide about it. */
export type Right = 'read' | 'write' | 'own';

const allows: Record<Right, (role: MemberRole) => boolean> = {
  read: () => true,
  write: mayWrite,
  own: (role) => role === 'owner',
};

/**
 * Throws `not_found` for who may not know of the conversation, `forbidden` for who may know but not do this.
 *
 * @param thing what was asked for, in a word: who may not know of it must be told the same as if it were not there
 */
export async function requireRight(
  db: Executor,
  conversationId: string,
  userId: string,
  right: Right,
  thing = 'conversation',
): Promise<MemberRole> {
  const role = isUuid(conversationId) ? await findRole(db, conversationId, userId) : undefined;
  return checkRole(role, right, thing);
}

/** The same of a role that is known. */
export function checkRole(
  role: MemberRole | null | undefined,
  right: Right,
  thing = 'conversation',
): MemberRole {
  if (!role) throw noSuch(thing);
  if (!allows[right](role)) throw new AppError('forbidden', `A ${role} may not do this.`);
  return role;
}

/** The same, and locks the conversation for a change of what its room is told. */
export async function lockWithRight(
  tx: Transaction,
  conversationId: string,
  userId: string,
  right: Right,
  thing = 'conversation',
): Promise<ConversationRow> {
  if (!isUuid(conversationId)) throw noSuch(thing);
  const [conversation] = await together([
    lockConversation(tx, conversationId),
    requireRight(tx, conversationId, userId, right, thing), // behind the lock
  ]);
  if (!conversation) throw noSuch(thing);
  return conversation;
}
