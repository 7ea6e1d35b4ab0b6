import type { DeliveryJob } from '../queue/webhook-queue.js';
import { findRole } from '../store/members.js';
import type { Transaction } from '../store/database.js';
import type { NewOutboxRow } from '../store/outbox.js';
import { insertDeliveries, listListeners, type WebhookRow } from '../store/webhooks.js';
import { conversationRoom, documentRoom, userRoom, type Room } from '../wire/room.js';
import type { DeliveryType, WebhookEventType } from '../wire/webhooks.js';
import { uuidv7 } from './ids.js';

/** What somebody is to be told of, if they want to. */
export interface Notice {
  userId: string;
  type: WebhookEventType;
  /** Who may not read it any more is not told. */
  conversationId: string | null;
  documentId: string | null;
  /** Made where somebody listens; undefined: it is gone. */
  data: (tx: Transaction) => Promise<object | undefined>;
}

/**
 * Writes down what each endpoint is to be told, in the transaction that ends what it tells of: what is committed is
 * delivered. Answers the outbox rows that bring it on its way.
 */
export async function writeDeliveries(tx: Transaction, notice: Notice): Promise<NewOutboxRow[]> {
  const { userId, type, conversationId, documentId } = notice;
  const listeners = await listListeners(tx, userId, type);
  if (listeners.length === 0) return [];
  if (conversationId !== null && !(await findRole(tx, conversationId, userId))) return [];
  const data = await notice.data(tx);
  if (!data) return [];
  const place =
    conversationId === null
      ? documentId === null
        ? userRoom(userId)
        : documentRoom(documentId)
      : conversationRoom(conversationId);
  return deliverTo(tx, listeners, place, { type, data, conversationId, documentId });
}

interface Told {
  type: DeliveryType;
  data: object;
  conversationId: string | null;
  documentId: string | null;
}

/** The same for endpoints that are named. */
export async function deliverTo(
  tx: Transaction,
  listeners: readonly WebhookRow[],
  room: Room,
  { type, data, conversationId, documentId }: Told,
): Promise<NewOutboxRow[]> {
  const payload = JSON.stringify({ type, timestamp: new Date().toISOString(), data });
  const eventId = `msg_${uuidv7()}`;
  const rows = await insertDeliveries(
    tx,
    listeners.map(({ id: webhookId }) => ({
      id: uuidv7(),
      webhookId,
      conversationId,
      documentId,
      eventId,
      type,
      payload,
    })),
  );
  return rows.map(({ id }) => ({
    room,
    kind: 'webhook',
    type,
    data: JSON.stringify({ deliveryId: id } satisfies DeliveryJob),
  }));
}
