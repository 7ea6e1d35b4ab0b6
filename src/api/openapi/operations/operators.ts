import { answerSchemas, type BodySchemas } from '../named-schemas.js';
import type { AnswerDoc, Operation } from '../operation.js';

const budget: AnswerDoc = {
  description: 'The budget.',
  schema: answerSchemas.Budget,
  example: { spentUsd: 0.12, reservedUsd: 0, limitUsd: 5 },
};

const status = (value: string): AnswerDoc => ({
  description: 'Yes.',
  schema: answerSchemas.Status,
  example: { status: value },
});

const document = (description: string): AnswerDoc => ({ description, schema: answerSchemas.Json });

/** The three routes of a budget. */
const budgetOf = (
  { BudgetLimit }: BodySchemas,
  path: string,
  { name, thing }: { name: string; thing: string },
): Operation[] => [
  {
    method: 'get',
    path,
    id: `get${name}Budget`,
    tag: 'Operators',
    summary: `The budget of ${thing}`,
    caller: 'operator',
    answers: { 200: budget },
    problems: ['unavailable'],
  },
  {
    method: 'put',
    path,
    id: `limit${name}Budget`,
    tag: 'Operators',
    summary: `Limit the budget of ${thing}; null: no limit`,
    caller: 'operator',
    body: { schema: BudgetLimit, examples: { five: { summary: 'To five dollars', value: { limitUsd: 5 } } } },
    answers: { 200: budget },
    problems: ['unavailable'],
  },
  {
    method: 'delete',
    path,
    id: `reset${name}Budget`,
    tag: 'Operators',
    summary: `Back to the setting’s limit, and nothing spent`,
    caller: 'operator',
    answers: { 200: budget },
    problems: ['unavailable'],
  },
];

export const operatorOperations = (bodies: BodySchemas): Operation[] => [
  {
    method: 'get',
    path: '/healthz',
    id: 'isAlive',
    tag: 'Operators',
    summary: 'Alive?',
    caller: 'anyone',
    answers: { 200: status('ok') },
  },
  {
    method: 'get',
    path: '/readyz',
    id: 'isReady',
    tag: 'Operators',
    summary: 'Do Redis and Postgres answer?',
    caller: 'anyone',
    answers: { 200: status('ready') },
    problems: ['unavailable'],
  },
  {
    method: 'get',
    path: '/metrics',
    id: 'getMetrics',
    tag: 'Operators',
    summary: 'Metrics for Prometheus',
    description: 'Without `ADMIN_TOKEN` open outside production, and 404 in it.',
    caller: 'operator',
    answers: {
      200: { description: 'The metrics.', mediaType: 'text/plain', schema: answerSchemas.Text },
    },
  },
  ...budgetOf(bodies, '/admin/budgets/users/{userId}', { name: 'User', thing: 'a user’s day' }),
  ...budgetOf(bodies, '/admin/budgets/conversations/{id}', {
    name: 'ConversationAs',
    thing: 'a conversation',
  }).map((operation) => ({ ...operation, id: operation.id.replace('AsBudget', 'BudgetAsOperator') })),
  {
    method: 'get',
    path: '/openapi.json',
    id: 'getOpenApi',
    tag: 'Operators',
    summary: 'This document',
    caller: 'anyone',
    answers: { 200: document('OpenAPI 3.1.') },
  },
  {
    method: 'get',
    path: '/asyncapi.json',
    id: 'getAsyncApi',
    tag: 'Operators',
    summary: 'The events of the socket',
    caller: 'anyone',
    answers: { 200: document('AsyncAPI 3.') },
  },
  {
    method: 'get',
    path: '/docs',
    id: 'getDocs',
    tag: 'Operators',
    summary: 'This document as a page, for trying out',
    caller: 'anyone',
    answers: { 200: { description: 'The page.', mediaType: 'text/html', schema: answerSchemas.Text } },
    problems: ['not_found'],
  },
];
