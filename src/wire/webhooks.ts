import { z } from 'zod';
import { text } from './http.js';

/** What somebody can be told of: that a generation of theirs has ended, or a document. */
export const webhookEventTypes = [
  'generation.completed',
  'generation.cancelled',
  'generation.failed',
  'document.completed',
  'document.cancelled',
  'document.failed',
] as const;
export type WebhookEventType = (typeof webhookEventTypes)[number];

/** Also what is sent for trying an endpoint out. */
export type DeliveryType = WebhookEventType | 'webhook.test';

const url = z
  .string()
  .max(2000)
  .refine(isEndpoint, 'must be an address that begins with https:// or http://, without a password');

function isEndpoint(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, username, password } = new URL(value);
  return (protocol === 'https:' || protocol === 'http:') && username === '' && password === '';
}

const events = z
  .array(z.enum(webhookEventTypes))
  .min(1)
  .max(webhookEventTypes.length)
  .refine((given) => new Set(given).size === given.length, 'must not name an event more than once');

const description = text(200).nullish();

export const newWebhookBody = z.object({
  url,
  events: events.default([...webhookEventTypes]),
  description,
});

export const webhookChangesBody = z.object({
  url: url.optional(),
  events: events.optional(),
  description,
  /** Off: nothing more is sent. On again: what ends from now on is. */
  enabled: z.boolean().optional(),
});

export type NewWebhook = z.infer<typeof newWebhookBody>;
export type WebhookChanges = z.infer<typeof webhookChangesBody>;

/** Why an endpoint is sent nothing: its owner wants it so, it answered 410, or it has failed for days. */
export type DisabledReason = 'owner' | 'gone' | 'failing';

/** An endpoint as its owner sees it. The secret is shown once, when it is made. */
export interface Webhook {
  id: string;
  url: string;
  events: WebhookEventType[];
  description: string | null;
  enabled: boolean;
  disabledReason: DisabledReason | null;
  /** Nothing has arrived since then; null: the last delivery has. */
  failingSince: string | null;
  createdAt: string;
}

export interface WebhookWithSecret extends Webhook {
  /** `whsec_…`, of Standard Webhooks. */
  secret: string;
}

export type DeliveryStatus = 'pending' | 'delivered' | 'failed';

/** One event on its way to one endpoint. */
export interface WebhookDelivery {
  id: string;
  /** The header `webhook-id`: the same at every attempt, and at every endpoint. */
  eventId: string;
  type: DeliveryType;
  status: DeliveryStatus;
  attempts: number;
  /** Of the last attempt; null: there was no answer. */
  statusCode: number | null;
  /** Of the last attempt, in words. */
  error: string | null;
  nextAttemptAt: string | null;
  createdAt: string;
  endedAt: string | null;
}
