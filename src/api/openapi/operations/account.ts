import { usageQuery } from '../../../wire/usage.js';
import { ada } from '../examples.js';
import { answerSchemas, type BodySchemas } from '../named-schemas.js';
import type { Operation } from '../operation.js';

const session = { token: 'eyJhbGciOiJIUzI1NiJ9…', user: ada, expiresAt: '2026-12-20T09:30:00.000Z' };

export const accountOperations = ({ NewSession }: BodySchemas): Operation[] => [
  {
    method: 'post',
    path: '/v1/sessions',
    id: 'createSession',
    tag: 'Sessions',
    summary: 'Take a session under a name',
    description: 'For 30 days. Not with `AUTH_MODE=jwt`, where tokens come from the host application: 404.',
    caller: 'anyone',
    body: { schema: NewSession, examples: { ada: { summary: 'Ada', value: { name: 'Ada' } } } },
    answers: { 201: { description: 'A new user.', schema: answerSchemas.Session, example: session } },
    problems: ['not_found', 'rate_limited', 'unavailable'],
  },
  {
    method: 'post',
    path: '/v1/sessions/refresh',
    id: 'refreshSession',
    tag: 'Sessions',
    summary: 'A new token for the same user',
    caller: 'session',
    answers: { 200: { description: 'The new token.', schema: answerSchemas.Session, example: session } },
    problems: ['not_found'],
  },
  {
    method: 'get',
    path: '/v1/me',
    id: 'getMe',
    tag: 'Sessions',
    summary: 'The caller, and today’s budget (UTC)',
    caller: 'session',
    answers: {
      200: {
        description: 'The caller.',
        schema: answerSchemas.Me,
        example: { user: ada, budget: { spentUsd: 0.12, reservedUsd: 0, limitUsd: 5 } },
      },
    },
  },
  {
    method: 'get',
    path: '/v1/models',
    id: 'listModels',
    tag: 'Sessions',
    summary: 'The models that this server has a key for',
    caller: 'session',
    answers: {
      200: {
        description: 'The models.',
        schema: answerSchemas.Models,
        example: {
          items: [
            {
              id: 'demo',
              provider: 'demo',
              contextTokens: 200_000,
              maxOutputTokens: 64_000,
              pricing: null,
              abilities: { thinking: true, tools: true, prefill: true },
            },
          ],
        },
      },
    },
  },
  {
    method: 'get',
    path: '/v1/usage',
    id: 'getUsage',
    tag: 'Sessions',
    summary: 'What the caller’s own generations have used',
    description: 'By day, model and conversation; by default the last 30 days, at most 366.',
    caller: 'session',
    query: usageQuery,
    answers: { 200: { description: 'The report.', schema: answerSchemas.UsageReport } },
  },
];
