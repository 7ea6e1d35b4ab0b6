import { bigserial, index, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { time } from './columns.js';

/** What a transaction has to tell the room log and the queue, until a relay has told it. */
export const outbox = pgTable(
  'outbox',
  {
    id: bigserial({ mode: 'number' }).primaryKey(),
    room: text().notNull(),
    kind: text().$type<'event' | 'job' | 'webhook'>().notNull(),
    /** An event's type, or the job's queue; a webhook's event. */
    type: text().notNull(),
    /** An event's payload as it is sent, without its cursor; or the job, of a webhook's delivery too. JSON, kept to the letter. */
    data: text().notNull(),
    /** The generation that this event ends. */
    ends: uuid(),
    createdAt: time('created_at').notNull().defaultNow(),
  },
  (t) => [index('outbox_by_room').on(t.room, t.id)],
);
