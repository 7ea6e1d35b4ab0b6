import { and, eq, gt, sql } from 'drizzle-orm';
import type { Executor, Transaction } from './database.js';
import { invites } from './schema/conversations.js';

type InviteRow = typeof invites.$inferSelect;

export async function insertInvite(tx: Transaction, invite: InviteRow): Promise<void> {
  await tx.insert(invites).values(invite);
}

/** The invite of this token, while it is good. */
export async function findInvite(db: Executor, tokenHash: string): Promise<InviteRow | undefined> {
  const [row] = await db
    .select()
    .from(invites)
    .where(and(eq(invites.tokenHash, tokenHash), gt(invites.expiresAt, sql`now()`)));
  return row;
}

/** Forgets invites that have expired. */
export async function deleteExpiredInvites(db: Executor): Promise<void> {
  await db.delete(invites).where(sql`${invites.expiresAt} < now()`);
}
