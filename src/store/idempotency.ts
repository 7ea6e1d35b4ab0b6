import { and, eq, lt, sql } from 'drizzle-orm';
import type { Executor, Transaction } from './database.js';
import { idempotencyKeys } from './schema/idempotency-keys.js';

export interface IdempotencyKey {
  userId: string;
  /** Method and path with its ids. */
  route: string;
  key: string;
}

const keptFor = sql`now() - interval '24 hours'`;

const is = ({ userId, route, key }: IdempotencyKey) =>
  and(eq(idempotencyKeys.userId, userId), eq(idempotencyKeys.route, route), eq(idempotencyKeys.key, key));

/**
 * Takes the key for this transaction. False: another one has it. A concurrent twin waits here until this transaction
 * ends, at most its `lock_timeout`.
 */
export async function takeIdempotencyKey(
  tx: Transaction,
  key: IdempotencyKey,
  bodyHash: string,
): Promise<boolean> {
  const fresh = { bodyHash, status: 0, response: null, createdAt: sql`now()` };
  const taken = await tx
    .insert(idempotencyKeys)
    .values({ ...key, ...fresh })
    .onConflictDoUpdate({
      target: [idempotencyKeys.userId, idempotencyKeys.route, idempotencyKeys.key],
      set: fresh,
      setWhere: lt(idempotencyKeys.createdAt, keptFor),
    })
    .returning({ key: idempotencyKeys.key });
  return taken.length > 0;
}

/** Keeps the answer that the key stands for. */
export async function keepResponse(
  tx: Transaction,
  key: IdempotencyKey,
  status: number,
  response: unknown,
): Promise<void> {
  await tx.update(idempotencyKeys).set({ status, response }).where(is(key));
}

export async function findKeptResponse(
  db: Executor,
  key: IdempotencyKey,
): Promise<{ bodyHash: string; status: number; response: unknown } | undefined> {
  const [row] = await db.select().from(idempotencyKeys).where(is(key));
  return row;
}

/** Forgets the keys of yesterday. */
export async function deleteOldIdempotencyKeys(db: Executor): Promise<void> {
  await db.delete(idempotencyKeys).where(lt(idempotencyKeys.createdAt, keptFor));
}
