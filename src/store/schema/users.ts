import { pgTable, text } from 'drizzle-orm/pg-core';
import { time } from './columns.js';

/** Everybody who ever had a session here, or wrote with a token of the host application. */
export const users = pgTable('users', {
  id: text().primaryKey(),
  name: text().notNull(),
  createdAt: time('created_at').notNull().defaultNow(),
});
