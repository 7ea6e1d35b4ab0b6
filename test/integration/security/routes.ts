import type { z } from 'zod';
import { budgetLimitBody } from '../../../src/wire/budget.js';
import { generationOptionsSchema } from '../../../src/wire/generation-options.js';
import {
  conversationBodies,
  conversationQuery,
  inviteBody,
  listQuery,
  readBody,
  sessionBody,
} from '../../../src/wire/http.js';
import { usageQuery } from '../../../src/wire/usage.js';
import { newWebhookBody, webhookChangesBody } from '../../../src/wire/webhooks.js';

/** A route of the HTTP API, with the schemas that it reads by. */
export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With `:conversation`, `:generation`, `:message`, `:user`, `:token` where an id belongs. */
  path: string;
  body?: z.ZodType;
  query?: z.ZodType;
  /** In whose form it tells of errors; by default as problem documents. */
  errors?: 'anthropic';
}

const bodies = conversationBodies(32_000);

export const routes: Route[] = [
  { method: 'POST', path: '/v1/sessions', body: sessionBody },
  { method: 'POST', path: '/v1/sessions/refresh' },
  { method: 'GET', path: '/v1/me' },
  { method: 'GET', path: '/v1/models' },
  { method: 'GET', path: '/v1/usage', query: usageQuery },
  { method: 'POST', path: '/v1/conversations', body: bodies.create },
  { method: 'GET', path: '/v1/conversations', query: conversationQuery },
  { method: 'GET', path: '/v1/conversations/:conversation' },
  { method: 'PATCH', path: '/v1/conversations/:conversation', body: bodies.update },
  { method: 'DELETE', path: '/v1/conversations/:conversation' },
  { method: 'POST', path: '/v1/conversations/:conversation/cancel' },
  { method: 'GET', path: '/v1/conversations/:conversation/budget' },
  { method: 'POST', path: '/v1/conversations/:conversation/invites', body: inviteBody },
  { method: 'POST', path: '/v1/invites/:token/accept' },
  { method: 'GET', path: '/v1/conversations/:conversation/members' },
  { method: 'DELETE', path: '/v1/conversations/:conversation/members/:user' },
  { method: 'POST', path: '/v1/conversations/:conversation/read', body: readBody },
  { method: 'GET', path: '/v1/conversations/:conversation/messages', query: listQuery },
  { method: 'POST', path: '/v1/conversations/:conversation/messages', body: bodies.message },
  { method: 'DELETE', path: '/v1/conversations/:conversation/messages' },
  { method: 'PATCH', path: '/v1/messages/:message', body: bodies.edit },
  { method: 'DELETE', path: '/v1/messages/:message' },
  { method: 'POST', path: '/v1/messages/:message/regenerate', body: generationOptionsSchema },
  { method: 'GET', path: '/v1/generations/:generation' },
  { method: 'DELETE', path: '/v1/generations/:generation/cache' },
  { method: 'POST', path: '/v1/generations/:generation/cancel' },
  { method: 'POST', path: '/v1/generations/:generation/continue' },
  { method: 'GET', path: '/v1/conversations/:conversation/events' },
  { method: 'GET', path: '/v1/generations/:generation/events' },
  { method: 'GET', path: '/v1/events' },
  { method: 'POST', path: '/v1/webhooks', body: newWebhookBody },
  { method: 'GET', path: '/v1/webhooks' },
  { method: 'GET', path: '/v1/webhooks/:webhook' },
  { method: 'PATCH', path: '/v1/webhooks/:webhook', body: webhookChangesBody },
  { method: 'DELETE', path: '/v1/webhooks/:webhook' },
  { method: 'POST', path: '/v1/webhooks/:webhook/test' },
  { method: 'GET', path: '/v1/webhooks/:webhook/deliveries', query: listQuery },
  { method: 'POST', path: '/ai-sdk/chat' },
  { method: 'GET', path: '/ai-sdk/chat/:conversation' },
  { method: 'GET', path: '/ai-sdk/chat/:conversation/stream' },
  { method: 'POST', path: '/ai-sdk/chat/:conversation/stop' },
  { method: 'POST', path: '/anthropic/v1/messages', errors: 'anthropic' },
  { method: 'POST', path: '/anthropic/v1/messages/count_tokens', errors: 'anthropic' },
  { method: 'GET', path: '/anthropic/v1/messages/:generation/events', errors: 'anthropic' },
  { method: 'GET', path: '/anthropic/v1/models', errors: 'anthropic' },
  { method: 'GET', path: '/anthropic/v1/models/:token', errors: 'anthropic' },
  { method: 'GET', path: '/admin/budgets/users/:user' },
  { method: 'PUT', path: '/admin/budgets/users/:user', body: budgetLimitBody },
  { method: 'DELETE', path: '/admin/budgets/users/:user' },
  { method: 'GET', path: '/admin/budgets/conversations/:conversation' },
  { method: 'PUT', path: '/admin/budgets/conversations/:conversation', body: budgetLimitBody },
  { method: 'DELETE', path: '/admin/budgets/conversations/:conversation' },
];
