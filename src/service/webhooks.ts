import { randomBytes } from 'node:crypto';
import { AppError, noSuch } from '../domain/errors.js';
import type { User } from '../domain/conversation.js';
import type { Transaction } from '../store/database.js';
import {
  deleteWebhook,
  findWebhook,
  insertWebhook,
  listWebhooks,
  updateWebhook,
  type DeliveryRow,
  type WebhookRow,
} from '../store/webhooks.js';
import { userRoom } from '../wire/room.js';
import type {
  DeliveryType,
  NewWebhook,
  Webhook,
  WebhookChanges,
  WebhookDelivery,
  WebhookEventType,
  WebhookWithSecret,
} from '../wire/webhooks.js';
import { uuidv7 } from './ids.js';
import type { Work } from './work.js';
import { deliverTo } from './write-deliveries.js';

/** How many endpoints somebody may have. */
const maxWebhooks = 20;

/** Of a secret, as Standard Webhooks wants it: 24 to 64. */
const secretBytes = 32;

/** @throws AppError invalid_request: there are enough */
export async function createWebhook(work: Work, user: User, fields: NewWebhook): Promise<WebhookWithSecret> {
  if ((await listWebhooks(work.tx, user.id)).length >= maxWebhooks)
    throw new AppError('invalid_request', `At most ${maxWebhooks} webhooks are kept for one user.`);
  const secret = `whsec_${randomBytes(secretBytes).toString('base64')}`;
  const { url, events, description = null } = fields;
  const row = await insertWebhook(work.tx, {
    id: uuidv7(),
    userId: user.id,
    url,
    secret,
    events,
    description,
  });
  return { ...toWebhook(row), secret };
}

/** @throws AppError not_found */
async function requireWebhook(tx: Transaction, id: string, userId: string): Promise<WebhookRow> {
  const row = await findWebhook(tx, id, userId);
  if (!row) throw noSuch('webhook');
  return row;
}

/** @throws AppError not_found */
export async function changeWebhook(
  work: Work,
  id: string,
  userId: string,
  { enabled, ...fields }: WebhookChanges,
): Promise<Webhook> {
  const before = await requireWebhook(work.tx, id, userId);
  const switched =
    enabled === undefined
      ? {}
      : enabled
        ? { disabledReason: null, failingSince: null }
        : { disabledReason: before.disabledReason ?? ('owner' as const) };
  const given = Object.fromEntries(
    Object.entries<unknown>(fields).filter(([, value]) => value !== undefined),
  );
  const row = await updateWebhook(work.tx, id, { ...given, ...switched });
  if (!row) throw noSuch('webhook');
  return toWebhook(row);
}

/** @throws AppError not_found */
export async function removeWebhook(work: Work, id: string, userId: string): Promise<void> {
  await requireWebhook(work.tx, id, userId);
  await deleteWebhook(work.tx, id);
}

/** Sends an endpoint something to try it out with. @throws AppError not_found */
export async function testWebhook(work: Work, id: string, userId: string): Promise<void> {
  const row = await requireWebhook(work.tx, id, userId);
  const test = {
    type: 'webhook.test',
    data: { webhookId: id },
    conversationId: null,
    documentId: null,
  } as const;
  work.deliver(await deliverTo(work.tx, [row], userRoom(userId), test));
}

export const toWebhook = (row: WebhookRow): Webhook => ({
  id: row.id,
  url: row.url,
  events: row.events as WebhookEventType[],
  description: row.description,
  enabled: row.disabledReason === null,
  disabledReason: row.disabledReason,
  failingSince: row.failingSince?.toISOString() ?? null,
  createdAt: row.createdAt.toISOString(),
});

export const toDelivery = (row: DeliveryRow): WebhookDelivery => ({
  id: row.id,
  eventId: row.eventId,
  type: row.type as DeliveryType,
  status: row.status,
  attempts: row.attempts,
  statusCode: row.statusCode,
  error: row.error,
  nextAttemptAt: row.status === 'pending' ? row.nextAt.toISOString() : null,
  createdAt: row.createdAt.toISOString(),
  endedAt: row.endedAt?.toISOString() ?? null,
});
