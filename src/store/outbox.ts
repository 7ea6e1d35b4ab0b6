import { and, asc, eq, inArray, lt, sql } from 'drizzle-orm';
import type { Database, Executor, Transaction } from './database.js';
import { outbox } from './schema/outbox.js';

export type OutboxRow = typeof outbox.$inferSelect;
export type NewOutboxRow = Pick<OutboxRow, 'room' | 'kind' | 'type' | 'data'> & { ends?: string | null };

/**
 * Writes what the room's log and the queue have to be told. The room's conversation is locked by this transaction, so
 * that within a room ids increase in the order of commits.
 */
export async function insertOutbox(tx: Transaction, rows: NewOutboxRow[]): Promise<void> {
  if (rows.length > 0) await tx.insert(outbox).values(rows);
}

/**
 * Hands the room's untold rows, in order, to `tell`, and forgets them once it has resolved. One relay at a time works
 * on a room, over all processes: `busy` when another one does.
 */
export async function relayOutbox(
  db: Database,
  room: string,
  tell: (rows: OutboxRow[]) => Promise<void>,
): Promise<'told' | 'empty' | 'busy'> {
  return db.transaction(async (tx) => {
    const { rows: locks } = await tx.execute<{ locked: boolean }>(
      sql`select pg_try_advisory_xact_lock(hashtextextended(${room}, 0)) as locked`,
    );
    if (!locks[0]?.locked) return 'busy';
    const rows = await tx
      .select()
      .from(outbox)
      .where(eq(outbox.room, room))
      .orderBy(asc(outbox.id))
      .limit(500);
    if (rows.length === 0) return 'empty';
    await tell(rows);
    await tx.delete(outbox).where(
      inArray(
        outbox.id,
        rows.map((row) => row.id),
      ),
    );
    return 'told';
  });
}

/** Whether the room has rows that nobody has told. */
export async function hasOutbox(db: Executor, room: string): Promise<boolean> {
  const rows = await db.select({ id: outbox.id }).from(outbox).where(eq(outbox.room, room)).limit(1);
  return rows.length > 0;
}

/**
 * Whether the log may still have to be told of the generation's end. For a moment it is so behind the telling, too: a row
 * is forgotten once it has been told.
 */
export async function isEndUntold(db: Executor, room: string, generationId: string): Promise<boolean> {
  const rows = await db
    .select({ id: outbox.id })
    .from(outbox)
    .where(and(eq(outbox.room, room), eq(outbox.ends, generationId)))
    .limit(1);
  return rows.length > 0;
}

/** Rooms with rows that are older than this many milliseconds: their relay has died. */
export async function listStaleRooms(db: Executor, olderThanMs: number, limit: number): Promise<string[]> {
  const rows = await db
    .selectDistinct({ room: outbox.room })
    .from(outbox)
    .where(and(lt(outbox.createdAt, sql`now() - ${olderThanMs} * interval '1 millisecond'`)))
    .limit(limit);
  return rows.map((row) => row.room);
}
