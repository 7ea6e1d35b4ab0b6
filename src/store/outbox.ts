import { and, asc, eq, lt, sql } from 'drizzle-orm';
import { together } from '../lib/together.js';
import type { Database, Executor } from './database.js';
import { prepared } from './prepared.js';
import { outbox } from './schema/outbox.js';
import type { Write } from './write-together.js';

export type OutboxRow = typeof outbox.$inferSelect;
export type NewOutboxRow = Pick<OutboxRow, 'room' | 'kind' | 'type' | 'data'> & { ends?: string | null };

/**
 * Writes what the room's log and the queue have to be told. The room's conversation is locked by this transaction, so
 * that within a room ids increase in the order of commits.
 */
export const outboxWrite = (rows: readonly NewOutboxRow[]): Write => ({
  kind: 'outbox',
  build: (_, value) => sql`
    insert into ${outbox} (room, kind, type, data, ends)
    select room, kind, type, data, ends
    from unnest(
      ${value('room')}::text[], ${value('kind')}::text[], ${value('type')}::text[], ${value('data')}::text[],
      ${value('ends')}::uuid[]
    ) with ordinality as row (room, kind, type, data, ends, n)
    order by n`,
  values: {
    room: rows.map(({ room }) => room),
    kind: rows.map(({ kind }) => kind),
    type: rows.map(({ type }) => type),
    data: rows.map(({ data }) => data),
    ends: rows.map(({ ends }) => ends ?? null),
  },
});

/** At once: more wait for the next time, so that a room with many holds up no other. */
const rowsOfRoom = 50;

/** A list in one value, so that it is one statement for however many. */
const rooms = sql`${sql.placeholder('rooms')}::text[]`;

const tryLock = prepared((db) =>
  db
    .select({
      room: sql<string>`room`,
      locked: sql<boolean>`pg_try_advisory_xact_lock(hashtextextended(room, 0))`,
    })
    .from(sql`unnest(${rooms}) as room`)
    .prepare('lock_outbox'),
);

const first = prepared((db) => {
  const ofRoom = db
    .select()
    .from(outbox)
    .where(eq(outbox.room, sql`asked.room`))
    // By the room, too, though it is one: so that no plan walks all rows in the order of their ids.
    .orderBy(asc(outbox.room), asc(outbox.id))
    .limit(rowsOfRoom)
    .as('of_room');
  const { id, room, kind, type, data, ends, createdAt } = ofRoom;
  return db
    .select({ id, room, kind, type, data, ends, createdAt })
    .from(sql`unnest(${rooms}) as asked (room)`)
    .crossJoinLateral(ofRoom)
    .orderBy(asc(id))
    .prepare('outbox_of_rooms');
});

const forget = prepared((db) =>
  db
    .delete(outbox)
    .where(sql`${outbox.id} = any(${sql.placeholder('ids')}::bigint[])`)
    .prepare('delete_outbox'),
);

const left = prepared((db) =>
  db
    .selectDistinct({ room: outbox.room })
    .from(outbox)
    .where(sql`${outbox.room} = any(${rooms})`)
    .prepare('outbox_left'),
);

/**
 * What came of relaying a room. `busy`: another relay was at it. `more`: something has come that whoever wrote it has
 * left to this one. `failed`: it could not be told, and is not forgotten.
 */
export type Relayed = 'told' | 'more' | 'busy' | 'failed';

/**
 * Hands the untold rows of rooms, in order, to `tell`, a room at a time, and forgets them once it has resolved; where it
 * fails the other rooms go on. One relay at a time works on a room, over all processes.
 */
export async function relayOutbox<Room extends string>(
  db: Database,
  asked: readonly Room[],
  tell: (room: Room, rows: OutboxRow[]) => Promise<void>,
): Promise<Map<Room, Relayed>> {
  const outcomes = new Map<Room, Relayed>(asked.map((room) => [room, 'busy']));
  await db.transaction(
    async (tx) => {
      // Read behind the locks: what their last holders have told is gone.
      const [locks, rows] = await together([
        tryLock(tx).execute({ rooms: asked }),
        first(tx).execute({ rooms: asked }),
      ]);
      const mine = new Set(locks.filter(({ locked }) => locked).map(({ room }) => room));
      const told = await Promise.all(
        asked
          .filter((room) => mine.has(room))
          .map(async (room) => {
            const ofRoom = rows.filter((row) => row.room === room);
            try {
              if (ofRoom.length > 0) await tell(room, ofRoom);
            } catch {
              outcomes.set(room, 'failed');
              return [];
            }
            outcomes.set(room, 'told');
            return ofRoom.map(({ id }) => id);
          }),
      );
      return told.flat();
    },
    {
      closing: async (tx, ids) => ids.length > 0 && forget(tx).execute({ ids }),
      // Once the locks are free: whoever found them held has left what came meanwhile to this one.
      behind: async (free) => {
        for (const { room } of await left(free).execute({ rooms: asked }))
          if (outcomes.get(room as Room) === 'told') outcomes.set(room as Room, 'more');
      },
    },
  );
  return outcomes;
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
