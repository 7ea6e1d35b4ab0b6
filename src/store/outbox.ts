import { and, asc, eq, lt, sql } from 'drizzle-orm';
import { together } from '../lib/together.js';
import type { Database, Executor, Transaction } from './database.js';
import { prepared } from './prepared.js';
import { outbox } from './schema/outbox.js';

export type OutboxRow = typeof outbox.$inferSelect;
export type NewOutboxRow = Pick<OutboxRow, 'room' | 'kind' | 'type' | 'data'> & { ends?: string | null };

/**
 * Writes what the room's log and the queue have to be told. The room's conversation is locked by this transaction, so
 * that within a room ids increase in the order of commits.
 */
export async function insertOutbox(tx: Transaction, rows: NewOutboxRow[]): Promise<void> {
  if (rows.length > 0) await tx.insert(outbox).values(rows).execute();
}

const rowsAtOnce = 500;

const tryLock = prepared((db) =>
  db
    .select({
      locked: sql<boolean>`pg_try_advisory_xact_lock(hashtextextended(${sql.placeholder('room')}, 0))`,
    })
    .from(sql`(values (1)) as one`)
    .prepare('lock_outbox'),
);

const first = prepared((db) =>
  db
    .select()
    .from(outbox)
    .where(eq(outbox.room, sql.placeholder('room')))
    .orderBy(asc(outbox.id))
    .limit(rowsAtOnce)
    .prepare('outbox_of_room'),
);

/**
 * Hands the room's untold rows, in order, to `tell`, and forgets them once it has resolved. One relay at a time works
 * on a room, over all processes: `busy` when another one does. `more`: something has come that whoever wrote it has left
 * to this one.
 */
export async function relayOutbox(
  db: Database,
  room: string,
  tell: (rows: OutboxRow[]) => Promise<void>,
): Promise<'told' | 'more' | 'busy'> {
  const left = { more: false };
  const told = await db.transaction(
    async (tx) => {
      // Read behind the lock: what its last holder has told is gone.
      const [[lock], rows] = await together([tryLock(tx).execute({ room }), first(tx).execute({ room })]);
      if (!lock?.locked) return undefined;
      if (rows.length > 0) await tell(rows);
      return rows.map(({ id }) => id);
    },
    {
      closing: async (tx, ids) =>
        ids?.length &&
        tx
          .delete(outbox)
          .where(sql`${outbox.id} = any(${sql.param(ids)}::bigint[])`)
          .execute(),
      behind: async (free, ids) => {
        if (ids) left.more = await hasOutbox(free, room);
      },
    },
  );
  if (!told) return 'busy';
  return left.more ? 'more' : 'told';
}

const any = prepared((db) =>
  db
    .select({ id: outbox.id })
    .from(outbox)
    .where(eq(outbox.room, sql.placeholder('room')))
    .limit(1)
    .prepare('outbox_any'),
);

/** Whether the room has rows that nobody has told. */
export async function hasOutbox(db: Executor, room: string): Promise<boolean> {
  return (await any(db).execute({ room })).length > 0;
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
