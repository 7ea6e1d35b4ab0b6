import { and, eq, isNotNull, or, sql } from 'drizzle-orm';
import type { MemberRole } from '../domain/conversation.js';
import type { Transaction } from './database.js';
import { isActive, isUnfinishedOfUser } from './generations.js';
import { historySize } from './messages.js';
import { prepared } from './prepared.js';
import { budgetLimits } from './schema/budgets.js';
import { members } from './schema/conversations.js';
import { generations } from './schema/generations.js';

/** What a new generation finds in its conversation, beside what that says of itself. */
export interface Surroundings {
  /** The user's role; null: no member. */
  role: MemberRole | null;
  /** Something of the conversation has not ended. */
  busy: boolean;
  /** What {@link countUnfinishedOfUser} counts. */
  others: number;
  /** What {@link sizeOfHistory} says; null where it was not asked. */
  historyBytes: number | null;
  /** An operator has set a limit for the user or the conversation. */
  limited: boolean;
  /** When the transaction began, by Postgres' clock: as it dates what it stores. */
  now: Date;
}

interface Asked {
  conversationId: string;
  userId: string;
  priority: number;
  /** Of the history, where its size is asked for. */
  upToPosition: number | null;
}

const look = prepared((db) => {
  const conversationId = sql.placeholder('conversationId');
  const userId = sql.placeholder('userId');
  const role = db
    .select({ role: members.role })
    .from(members)
    .where(and(eq(members.conversationId, conversationId), eq(members.userId, userId)));
  const busy = db
    .select({ one: sql`1` })
    .from(generations)
    .where(and(eq(generations.conversationId, conversationId), isActive));
  const others = db
    .select({ count: sql`count(*)::int` })
    .from(generations)
    .where(isUnfinishedOfUser(false));
  const limits = db
    .select({ one: sql`1` })
    .from(budgetLimits)
    .where(
      and(
        isNotNull(budgetLimits.limitNano),
        or(
          and(eq(budgetLimits.scope, 'conversation'), eq(budgetLimits.subject, conversationId)),
          and(eq(budgetLimits.scope, 'user'), eq(budgetLimits.subject, userId)),
        ),
      ),
    );
  return db
    .select({
      role: sql<MemberRole | null>`${role}`,
      busy: sql<boolean>`exists ${busy}`,
      others: sql<number>`${others}`,
      historyBytes: sql<
        number | null
      >`case when ${sql.placeholder('upToPosition')}::bigint is not null then ${historySize(db)} end`,
      limited: sql<boolean>`exists ${limits}`,
      now: sql<string>`now()`,
    })
    .from(sql`(values (1)) as one`)
    .prepare('surroundings');
});

/** Looks before a generation of a conversation is stored; the conversation is locked. */
export async function findSurroundings(tx: Transaction, asked: Asked): Promise<Surroundings> {
  const [row] = await look(tx).execute({ ...asked });
  if (!row) throw new Error('Postgres does not know the time');
  return { ...row, now: new Date(row.now) };
}
