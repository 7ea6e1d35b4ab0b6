import { z } from 'zod';
import {
  webhookEventTypes,
  type Webhook,
  type WebhookDelivery,
  type WebhookWithSecret,
} from '../webhooks.js';
import { id, time } from './common.js';
import { document } from './document.js';
import { generation } from './generation.js';

/** What is answered about webhooks, and what they are sent. */

export const webhook = z.object({
  id,
  url: z.string(),
  events: z.array(z.enum(webhookEventTypes)),
  description: z.string().nullable(),
  enabled: z.boolean(),
  disabledReason: z.enum(['owner', 'gone', 'failing']).nullable(),
  failingSince: time.nullable().describe('Nothing has arrived since then.'),
  createdAt: time,
}) satisfies z.ZodType<Webhook>;

export const webhookWithSecret = z.object({
  ...webhook.shape,
  secret: z.string().describe('Shown this once.'),
}) satisfies z.ZodType<WebhookWithSecret>;

export const webhookDelivery = z.object({
  id,
  eventId: z.string().describe('The header `webhook-id`.'),
  type: z.enum([...webhookEventTypes, 'webhook.test']),
  status: z.enum(['pending', 'delivered', 'failed']),
  attempts: z.int(),
  statusCode: z.int().nullable(),
  error: z.string().nullable(),
  nextAttemptAt: time.nullable(),
  createdAt: time,
  endedAt: time.nullable(),
}) satisfies z.ZodType<WebhookDelivery>;

const notice = <D extends z.ZodType>(types: readonly [string, ...string[]], data: D) =>
  z.object({ type: z.enum(types), timestamp: time, data });

export const generationNotice = notice(
  ['generation.completed', 'generation.cancelled', 'generation.failed'],
  z.object({ generation }),
);
export const documentNotice = notice(
  ['document.completed', 'document.cancelled', 'document.failed'],
  z.object({ document }),
);
