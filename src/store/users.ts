import { eq, sql } from 'drizzle-orm';
import type { User } from '../domain/conversation.js';
import type { Executor, Transaction } from './database.js';
import { users } from './schema/users.js';

/** Makes the user known, or takes over a changed name. */
export async function saveUser(db: Executor, user: User): Promise<void> {
  await db
    .insert(users)
    .values(user)
    .onConflictDoUpdate({
      target: users.id,
      set: { name: user.name },
      setWhere: sql`${users.name} is distinct from excluded.name`,
    });
}

export async function findUser(db: Executor, id: string): Promise<User | undefined> {
  const [row] = await db.select({ id: users.id, name: users.name }).from(users).where(eq(users.id, id));
  return row;
}

/** Locks a user for making what there may be one of for each; before any other lock. */
export async function lockUser(tx: Transaction, id: string): Promise<void> {
  await tx.select({ id: users.id }).from(users).where(eq(users.id, id)).for('no key update');
}
