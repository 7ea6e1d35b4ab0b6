import { AppError, noSuch } from '../domain/errors.js';
import { findConversation } from '../store/conversations.js';
import { findRole, removeMember as removeRow } from '../store/members.js';
import { findUser } from '../store/users.js';
import { conversationRoom } from '../wire/room.js';
import { lockWithRight } from './access.js';
import type { Work } from './work.js';

/**
 * Removes somebody from a conversation, or leaves it oneself. The owner stays: a conversation without one could never
 * be deleted.
 *
 * @throws AppError not_found, forbidden
 */
export async function removeMember(
  work: Work,
  conversationId: string,
  callerId: string,
  userId: string,
): Promise<void> {
  await lockWithRight(work.tx, conversationId, callerId, callerId === userId ? 'read' : 'own');
  if ((await findRole(work.tx, conversationId, userId)) === 'owner')
    throw new AppError('forbidden', 'The owner cannot leave the conversation, only delete it.');
  const removed = await removeRow(work.tx, conversationId, userId);
  const user = removed && (await findUser(work.tx, userId));
  const conversation = user && (await findConversation(work.tx, conversationId));
  if (!conversation) throw noSuch('member');
  work.tell(conversationRoom(conversationId), 'member.left', { user, conversation });
}
