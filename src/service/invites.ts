import { createHash, randomBytes } from 'node:crypto';
import type { ConversationView, MemberRole, User } from '../domain/conversation.js';
import { AppError } from '../domain/errors.js';
import { findConversation, findConversationView, lockConversation } from '../store/conversations.js';
import { addMember } from '../store/members.js';
import { findInvite, insertInvite } from '../store/invites.js';
import { conversationRoom } from '../wire/room.js';
import { lockWithRight } from './access.js';
import type { Work } from './work.js';

const goodForMs = 7 * 86_400_000;

const hash = (token: string) => createHash('sha256').update(token).digest('base64url');

/** Makes a link's token: whoever brings it within a week becomes a member. @throws AppError not_found, forbidden */
export async function createInvite(
  { tx }: Work,
  conversationId: string,
  userId: string,
  role: Exclude<MemberRole, 'owner'>,
): Promise<{ token: string; expiresAt: Date }> {
  await lockWithRight(tx, conversationId, userId, 'write');
  const token = randomBytes(24).toString('base64url');
  const expiresAt = new Date(Date.now() + goodForMs);
  await insertInvite(tx, { tokenHash: hash(token), conversationId, role, createdBy: userId, expiresAt });
  return { token, expiresAt };
}

/** Makes the user a member; who is one already keeps the role. @throws AppError not_found: unknown, or expired */
export async function acceptInvite(work: Work, token: string, user: User): Promise<ConversationView> {
  const { tx } = work;
  const invite = await findInvite(tx, hash(token));
  const id = invite?.conversationId;
  if (!invite || !id || !(await lockConversation(tx, id)))
    throw new AppError('not_found', 'This invitation is not good any more.');
  if (await addMember(tx, id, user.id, invite.role)) {
    const conversation = await findConversation(tx, id);
    if (conversation) work.tell(conversationRoom(id), 'member.joined', { user, conversation });
  }
  const view = await findConversationView(tx, id, user.id);
  if (!view) throw new Error('a member has vanished from the transaction that made it one');
  return view;
}
