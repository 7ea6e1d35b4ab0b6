import { webhookEventTypes } from '../../../wire/webhooks.js';
import { listQuery } from '../../../wire/http.js';
import { conversation, ids } from '../examples.js';
import { answerSchemas, type BodySchemas } from '../named-schemas.js';
import type { AnswerDoc, Operation } from '../operation.js';

const webhook = {
  id: ids.webhook,
  url: 'https://example.com/tokencast',
  events: [...webhookEventTypes],
  description: null,
  enabled: true,
  disabledReason: null,
  failingSince: null,
  createdAt: conversation.createdAt,
};

const delivery = {
  id: '019ab3c0-6e50-7d55-8158-635a1961710a',
  eventId: 'msg_019ab3c0-6e4f-7d54-8057-635a1961710b',
  type: 'generation.completed',
  status: 'delivered',
  attempts: 1,
  statusCode: 204,
  error: null,
  nextAttemptAt: null,
  createdAt: conversation.createdAt,
  endedAt: conversation.updatedAt,
};

const one: AnswerDoc = { description: 'The webhook.', schema: answerSchemas.Webhook, example: webhook };

export const webhookOperations = (bodies: BodySchemas): Operation[] => [
  {
    method: 'post',
    path: '/v1/webhooks',
    id: 'createWebhook',
    tag: 'Webhooks',
    summary: 'Be told at an address of what has ended',
    description: 'At most 20 for one user. The secret is shown this once.',
    caller: 'session',
    headers: ['Idempotency-Key'],
    body: {
      schema: bodies.NewWebhook,
      examples: {
        all: { summary: 'Of all', value: { url: 'https://example.com/tokencast' } },
        documents: {
          summary: 'Of documents that are done',
          value: {
            url: 'https://example.com/tokencast',
            events: ['document.completed'],
            description: 'reports',
          },
        },
      },
    },
    answers: {
      201: {
        description: 'With its secret.',
        schema: answerSchemas.WebhookWithSecret,
        headers: ['Location', 'Idempotency-Replayed'],
        example: { ...webhook, secret: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDazfQYjcKg3s=' },
      },
    },
  },
  {
    method: 'get',
    path: '/v1/webhooks',
    id: 'listWebhooks',
    tag: 'Webhooks',
    summary: 'The caller’s webhooks',
    caller: 'session',
    answers: {
      200: {
        description: 'All of them.',
        schema: answerSchemas.Webhooks,
        example: { items: [webhook], nextBefore: null },
      },
    },
  },
  {
    method: 'get',
    path: '/v1/webhooks/{id}',
    id: 'getWebhook',
    tag: 'Webhooks',
    summary: 'One webhook',
    caller: 'session',
    answers: { 200: one },
  },
  {
    method: 'patch',
    path: '/v1/webhooks/{id}',
    id: 'updateWebhook',
    tag: 'Webhooks',
    summary: 'Change it, switch it off or on again',
    caller: 'session',
    body: {
      schema: bodies.WebhookChanges,
      examples: { off: { summary: 'Off', value: { enabled: false } } },
    },
    answers: { 200: one },
  },
  {
    method: 'delete',
    path: '/v1/webhooks/{id}',
    id: 'deleteWebhook',
    tag: 'Webhooks',
    summary: 'Delete it with what is on its way to it',
    caller: 'session',
    answers: { 204: { description: 'Done.' } },
  },
  {
    method: 'post',
    path: '/v1/webhooks/{id}/test',
    id: 'testWebhook',
    tag: 'Webhooks',
    summary: 'Send it a `webhook.test`',
    description: 'Once, also where it is switched off. How that went, its deliveries tell.',
    caller: 'session',
    answers: { 202: one },
    problems: ['rate_limited'],
  },
  {
    method: 'get',
    path: '/v1/webhooks/{id}/deliveries',
    id: 'listDeliveries',
    tag: 'Webhooks',
    summary: 'What was sent to it in the last 7 days, the newest first',
    caller: 'session',
    query: listQuery,
    answers: {
      200: {
        description: 'A page.',
        schema: answerSchemas.DeliveryPage,
        example: { items: [delivery], nextBefore: null },
      },
    },
  },
];
