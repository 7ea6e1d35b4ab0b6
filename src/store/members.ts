import { and, eq, lt, sql } from 'drizzle-orm';
import type { MemberRole, User } from '../domain/conversation.js';
import type { Executor, Transaction } from './database.js';
import { prepared } from './prepared.js';
import { members } from './schema/conversations.js';
import { users } from './schema/users.js';

const role = prepared((db) =>
  db
    .select({ role: members.role })
    .from(members)
    .where(
      and(
        eq(members.conversationId, sql.placeholder('conversationId')),
        eq(members.userId, sql.placeholder('userId')),
      ),
    )
    .prepare('role'),
);

/** The user's role; undefined: no member. */
export async function findRole(
  db: Executor,
  conversationId: string,
  userId: string,
): Promise<MemberRole | undefined> {
  const [row] = await role(db).execute({ conversationId, userId });
  return row?.role;
}

/** Moves the member's read position forward, never back, and not past what is there. */
export async function markRead(
  db: Executor,
  conversationId: string,
  userId: string,
  position: number,
): Promise<void> {
  await db
    .update(members)
    .set({
      readPosition: sql`least(${position}::bigint, (
        select c.next_position - 1 from conversations c where c.id = ${conversationId}
      ))`,
    })
    .where(
      and(
        eq(members.conversationId, conversationId),
        eq(members.userId, userId),
        lt(members.readPosition, position),
      ),
    );
}

/** The members, the first first. */
export async function listMembers(
  db: Executor,
  conversationId: string,
): Promise<{ user: User; role: MemberRole; joinedAt: string }[]> {
  const rows = await db
    .select({ id: users.id, name: users.name, role: members.role, joinedAt: members.joinedAt })
    .from(members)
    .innerJoin(users, eq(users.id, members.userId))
    .where(eq(members.conversationId, conversationId))
    .orderBy(members.joinedAt, users.id);
  return rows.map(({ id, name, role, joinedAt }) => ({
    user: { id, name },
    role,
    joinedAt: joinedAt.toISOString(),
  }));
}

const memberIds = prepared((db) =>
  db
    .select({ conversationId: members.conversationId, userId: members.userId })
    .from(members)
    .where(sql`${members.conversationId} = any(${sql.placeholder('conversationIds')}::uuid[])`)
    .prepare('member_ids'),
);

/** Who belongs to these conversations. */
export const listMemberIds = (
  db: Executor,
  conversationIds: readonly string[],
): Promise<{ conversationId: string; userId: string }[]> => memberIds(db).execute({ conversationIds });

/** Makes the user a member; one who is already keeps the role. */
export async function addMember(
  tx: Transaction,
  conversationId: string,
  userId: string,
  role: MemberRole,
): Promise<boolean> {
  const added = await tx
    .insert(members)
    .values({ conversationId, userId, role })
    .onConflictDoNothing()
    .returning({ userId: members.userId });
  return added.length > 0;
}

export async function removeMember(
  tx: Transaction,
  conversationId: string,
  userId: string,
): Promise<boolean> {
  const removed = await tx
    .delete(members)
    .where(and(eq(members.conversationId, conversationId), eq(members.userId, userId)))
    .returning({ userId: members.userId });
  return removed.length > 0;
}
