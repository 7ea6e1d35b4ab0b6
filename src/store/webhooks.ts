import { and, arrayContains, asc, desc, eq, isNull, lt, sql } from 'drizzle-orm';
import type { Executor, Transaction } from './database.js';
import { members } from './schema/conversations.js';
import { webhookDeliveries, webhooks } from './schema/webhooks.js';

export type WebhookRow = typeof webhooks.$inferSelect;
export type DeliveryRow = typeof webhookDeliveries.$inferSelect;
export type NewDelivery = typeof webhookDeliveries.$inferInsert;

/** Endpoints of a user, the oldest first. */
export function listWebhooks(db: Executor, userId: string): Promise<WebhookRow[]> {
  return db.select().from(webhooks).where(eq(webhooks.userId, userId)).orderBy(asc(webhooks.id));
}

/** Those that want to be told of this now. */
export function listListeners(db: Executor, userId: string, type: string): Promise<WebhookRow[]> {
  const wants = arrayContains(webhooks.events, [type]);
  return db
    .select()
    .from(webhooks)
    .where(and(eq(webhooks.userId, userId), isNull(webhooks.disabledReason), wants))
    .orderBy(asc(webhooks.id));
}

export async function findWebhook(db: Executor, id: string, userId: string): Promise<WebhookRow | undefined> {
  const [row] = await db
    .select()
    .from(webhooks)
    .where(and(eq(webhooks.id, id), eq(webhooks.userId, userId)));
  return row;
}

export async function insertWebhook(tx: Transaction, row: typeof webhooks.$inferInsert): Promise<WebhookRow> {
  const [inserted] = await tx.insert(webhooks).values(row).returning();
  if (!inserted) throw new Error('nothing was inserted');
  return inserted;
}

export async function updateWebhook(
  db: Executor,
  id: string,
  changes: Partial<Omit<WebhookRow, 'id' | 'userId' | 'secret'>>,
): Promise<WebhookRow | undefined> {
  if (Object.keys(changes).length === 0)
    return (await db.select().from(webhooks).where(eq(webhooks.id, id)))[0];
  const [row] = await db.update(webhooks).set(changes).where(eq(webhooks.id, id)).returning();
  return row;
}

/** With all that is on its way to it. */
export async function deleteWebhook(db: Executor, id: string): Promise<void> {
  await db.delete(webhooks).where(eq(webhooks.id, id));
}

export async function insertDeliveries(tx: Transaction, rows: NewDelivery[]): Promise<DeliveryRow[]> {
  return rows.length === 0 ? [] : tx.insert(webhookDeliveries).values(rows).returning();
}

/** To the letter: else a plan for any values could not use the index of what is due. */
const isPending = sql`${webhookDeliveries.status} = 'pending'`;

/** Deliveries of an endpoint, the newest first; one more than `limit` where there are more. */
export function listDeliveries(
  db: Executor,
  webhookId: string,
  { limit, before }: { limit: number; before?: string | undefined },
): Promise<DeliveryRow[]> {
  return db
    .select()
    .from(webhookDeliveries)
    .where(
      and(
        eq(webhookDeliveries.webhookId, webhookId),
        before === undefined ? undefined : lt(webhookDeliveries.id, before),
      ),
    )
    .orderBy(desc(webhookDeliveries.id))
    .limit(limit + 1);
}

export interface PendingDelivery {
  delivery: DeliveryRow;
  webhook: WebhookRow;
  /** Whether the owner may still read what it tells of. */
  mayRead: boolean;
}

/** A delivery that has not ended, as it has to be judged now. */
export async function findPendingDelivery(db: Executor, id: string): Promise<PendingDelivery | undefined> {
  const [found] = await db
    .select({ delivery: webhookDeliveries, webhook: webhooks, member: members.userId })
    .from(webhookDeliveries)
    .innerJoin(webhooks, eq(webhooks.id, webhookDeliveries.webhookId))
    .leftJoin(
      members,
      and(eq(members.conversationId, webhookDeliveries.conversationId), eq(members.userId, webhooks.userId)),
    )
    .where(and(eq(webhookDeliveries.id, id), isPending));
  if (!found) return undefined;
  const { delivery, webhook, member } = found;
  return { delivery, webhook, mayRead: delivery.conversationId === null || member !== null };
}

export async function updateDelivery(db: Executor, id: string, changes: Partial<DeliveryRow>): Promise<void> {
  await db.update(webhookDeliveries).set(changes).where(eq(webhookDeliveries.id, id));
}

/** Those whose attempt should have been made for so long: their job was lost. */
export async function listOverdueDeliveries(
  db: Executor,
  overdueMs: number,
  limit: number,
): Promise<string[]> {
  const rows = await db
    .select({ id: webhookDeliveries.id })
    .from(webhookDeliveries)
    .where(and(isPending, lt(webhookDeliveries.nextAt, sql`now() - ${overdueMs} * interval '1 millisecond'`)))
    .orderBy(asc(webhookDeliveries.nextAt))
    .limit(limit);
  return rows.map(({ id }) => id);
}

/** Forgets what ended more than a week ago. */
export async function deleteOldDeliveries(db: Executor): Promise<void> {
  await db.delete(webhookDeliveries).where(lt(webhookDeliveries.endedAt, sql`now() - interval '7 days'`));
}
