import { conversationQuery } from '../../../wire/http.js';
import { ada, conversation, queuedGeneration } from '../examples.js';
import { answerSchemas, type BodySchemas } from '../named-schemas.js';
import type { Operation } from '../operation.js';

const noBody = { 204: { description: 'Done.' } };
const one = { description: 'The conversation.', schema: answerSchemas.Conversation, example: conversation };

export const conversationOperations = (bodies: BodySchemas): Operation[] => [
  {
    method: 'post',
    path: '/v1/conversations',
    id: 'createConversation',
    tag: 'Conversations',
    summary: 'Begin a conversation',
    caller: 'session',
    headers: ['Idempotency-Key'],
    body: {
      schema: bodies.NewConversation,
      examples: {
        plain: { summary: 'With a title', value: { title: 'Backpressure' } },
        history: {
          summary: 'With a history to begin with',
          value: {
            title: 'Going on',
            system: 'Answer in one sentence.',
            model: 'demo',
            concurrency: 'interrupt',
            messages: [
              { role: 'user', content: 'What is a queue?' },
              { role: 'assistant', content: [{ type: 'text', text: 'A line in which things wait.' }] },
            ],
          },
        },
      },
    },
    answers: { 201: { ...one, headers: ['Location', 'Idempotency-Replayed'] } },
    problems: ['unsupported_model', 'not_found'],
  },
  {
    method: 'get',
    path: '/v1/conversations',
    id: 'listConversations',
    tag: 'Conversations',
    summary: 'Those that the caller is a member of',
    description: 'What changed last comes first. `q` searches titles and texts.',
    caller: 'session',
    query: conversationQuery,
    answers: {
      200: {
        description: 'A page.',
        schema: answerSchemas.ConversationPage,
        example: { items: [conversation], nextBefore: null },
      },
    },
  },
  {
    method: 'get',
    path: '/v1/conversations/{id}',
    id: 'getConversation',
    tag: 'Conversations',
    summary: 'One conversation',
    caller: 'session',
    answers: { 200: one },
  },
  {
    method: 'patch',
    path: '/v1/conversations/{id}',
    id: 'updateConversation',
    tag: 'Conversations',
    summary: 'Change title, system, model or concurrency, for later messages',
    caller: 'session',
    body: {
      schema: bodies.ConversationChanges,
      examples: { rename: { summary: 'Rename', value: { title: 'Backpressure, explained' } } },
    },
    answers: { 200: one },
    problems: ['forbidden', 'unsupported_model'],
  },
  {
    method: 'delete',
    path: '/v1/conversations/{id}',
    id: 'deleteConversation',
    tag: 'Conversations',
    summary: 'Delete it with all that belongs to it',
    caller: 'session',
    answers: noBody,
    problems: ['forbidden'],
  },
  {
    method: 'post',
    path: '/v1/conversations/{id}/cancel',
    id: 'cancelConversation',
    tag: 'Conversations',
    summary: 'Cancel all of its generations that run or wait',
    caller: 'session',
    answers: {
      200: {
        description: 'Those that were cancelled.',
        schema: answerSchemas.Generations,
        example: { generations: [queuedGeneration] },
      },
    },
    problems: ['forbidden'],
  },
  {
    method: 'post',
    path: '/v1/conversations/{id}/read',
    id: 'markRead',
    tag: 'Conversations',
    summary: 'Read up to there',
    caller: 'session',
    body: {
      schema: bodies.ReadPosition,
      examples: { two: { summary: 'Up to the second message', value: { position: 2 } } },
    },
    answers: noBody,
  },
  {
    method: 'get',
    path: '/v1/conversations/{id}/budget',
    id: 'getConversationBudget',
    tag: 'Conversations',
    summary: 'What it has cost, and may cost',
    caller: 'session',
    answers: {
      200: {
        description: 'Its budget.',
        schema: answerSchemas.Budget,
        example: { spentUsd: 0.12, reservedUsd: 0, limitUsd: null },
      },
    },
  },
  {
    method: 'post',
    path: '/v1/conversations/{id}/invites',
    id: 'createInvite',
    tag: 'Members',
    summary: 'Invite to it',
    caller: 'session',
    headers: ['Idempotency-Key'],
    body: {
      schema: bodies.NewInvite,
      required: false,
      examples: { viewer: { summary: 'To read alone', value: { role: 'viewer' } } },
    },
    answers: {
      201: {
        description: 'The invitation.',
        schema: answerSchemas.Invite,
        headers: ['Idempotency-Replayed'],
        example: {
          token: 'u0hPqXb3l6k1mZ2v',
          url: 'https://chat.example.com/invite/u0hPqXb3l6k1mZ2v',
          expiresAt: '2026-11-27T09:30:00.000Z',
        },
      },
    },
    problems: ['forbidden'],
  },
  {
    method: 'post',
    path: '/v1/invites/{token}/accept',
    id: 'acceptInvite',
    tag: 'Members',
    summary: 'Become a member',
    description: 'Who is one already keeps the role.',
    caller: 'session',
    answers: { 200: one },
  },
  {
    method: 'get',
    path: '/v1/conversations/{id}/members',
    id: 'listMembers',
    tag: 'Members',
    summary: 'Who takes part',
    caller: 'session',
    answers: {
      200: {
        description: 'All members.',
        schema: answerSchemas.Members,
        example: {
          items: [{ user: ada, role: 'owner', joinedAt: conversation.createdAt }],
          nextBefore: null,
        },
      },
    },
  },
  {
    method: 'delete',
    path: '/v1/conversations/{id}/members/{userId}',
    id: 'removeMember',
    tag: 'Members',
    summary: 'Remove somebody (the owner), or leave (oneself)',
    description: 'Their sockets and streams of the room end at once.',
    caller: 'session',
    answers: noBody,
    problems: ['forbidden'],
  },
];
