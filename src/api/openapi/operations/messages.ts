import { listQuery } from '../../../wire/http.js';
import { answer, endEvent, endedGeneration, frameOf, prompt, queuedGeneration } from '../examples.js';
import { answerSchemas, type BodySchemas } from '../named-schemas.js';
import type { Operation } from '../operation.js';

/** What may be wrong with asking for an answer. */
export const askingProblems = [
  'forbidden',
  'unsupported_model',
  'unsupported_tool',
  'budget_exceeded',
  'rate_limited',
  'queue_full',
] as const;

const options = {
  model: 'demo',
  maxTokens: 200,
  temperature: 0.2,
  flush: { by: 'sentence' },
  tools: ['calculator'],
  priority: 3,
};

export const messageOperations = (bodies: BodySchemas): Operation[] => [
  {
    method: 'get',
    path: '/v1/conversations/{id}/messages',
    id: 'listMessages',
    tag: 'Messages',
    summary: 'Its messages, in the order of turns',
    description:
      'The newest page first, in it the newest last. One that is being written has its text so far.',
    caller: 'session',
    query: listQuery,
    answers: {
      200: {
        description: 'A page.',
        schema: answerSchemas.MessagePage,
        example: { items: [prompt, answer], nextBefore: null },
      },
    },
  },
  {
    method: 'post',
    path: '/v1/conversations/{id}/messages',
    id: 'sendMessage',
    tag: 'Messages',
    summary: 'Write, and ask for an answer',
    description:
      'Answers at once; the generation is watched in the room. With `Accept: text/event-stream` the answer is the ' +
      'stream of the generation; with `Prefer: wait=<s>` it comes when the generation has ended. ' +
      '`generate: false` is a remark between people.',
    caller: 'session',
    headers: ['Idempotency-Key', 'Prefer'],
    body: {
      schema: bodies.NewMessage,
      examples: {
        question: { summary: 'A question', value: { content: 'What is backpressure?' } },
        options: {
          summary: 'With options of its generation',
          value: {
            content: 'What is 17 times 23?',
            generate: options,
            clientId: 'draft-7',
            metadata: { from: 'docs' },
          },
        },
        remark: {
          summary: 'A remark between people',
          value: { content: 'Back in five minutes.', generate: false },
        },
        blocks: {
          summary: 'Blocks instead of a string',
          value: { content: [{ type: 'text', text: 'What is a queue?' }], generate: { model: 'demo' } },
        },
      },
    },
    answers: {
      200: [
        {
          description: 'With `Prefer: wait`: it has ended.',
          schema: answerSchemas.AcceptedMessage,
          headers: ['Location', 'Idempotency-Replayed', 'Preference-Applied'],
          example: { message: prompt, generation: endedGeneration },
        },
        {
          description: 'With `Accept: text/event-stream`: the events of the generation, to its end.',
          mediaType: 'text/event-stream',
          schema: answerSchemas.RoomEvent,
          events: true,
          example: frameOf(endEvent),
        },
      ],
      201: {
        description: 'A remark: no generation.',
        schema: answerSchemas.AcceptedMessage,
        headers: ['Idempotency-Replayed'],
        example: { message: prompt },
      },
      202: {
        description: 'Accepted.',
        schema: answerSchemas.AcceptedMessage,
        headers: ['Location', 'Idempotency-Replayed', 'Preference-Applied'],
        example: { message: prompt, generation: queuedGeneration },
      },
    },
    problems: [...askingProblems, 'conversation_busy'],
  },
  {
    method: 'delete',
    path: '/v1/conversations/{id}/messages',
    id: 'clearMessages',
    tag: 'Messages',
    summary: 'Clear the history',
    description: 'Generations that run end as cancelled; nothing of them is stored.',
    caller: 'session',
    answers: { 204: { description: 'Done.' } },
    problems: ['forbidden'],
  },
  {
    method: 'patch',
    path: '/v1/messages/{id}',
    id: 'editMessage',
    tag: 'Messages',
    summary: 'Edit one’s own message, and have it answered anew',
    description: 'With `regenerate`, what follows it is dropped, and its generations are cancelled.',
    caller: 'session',
    body: {
      schema: bodies.MessageEdit,
      examples: {
        edit: { summary: 'In place', value: { content: 'What is backpressure, in short?' } },
        anew: {
          summary: 'And answered anew',
          value: { content: 'What is backpressure, in short?', regenerate: { model: 'demo' } },
        },
      },
    },
    answers: {
      200: { description: 'Edited in place.', schema: answerSchemas.Message, example: prompt },
      202: {
        description: 'With `regenerate`.',
        schema: answerSchemas.AcceptedMessage,
        example: { message: prompt, generation: queuedGeneration },
      },
    },
    problems: askingProblems,
  },
  {
    method: 'delete',
    path: '/v1/messages/{id}',
    id: 'deleteMessage',
    tag: 'Messages',
    summary: 'Delete a message: its author, or the owner',
    caller: 'session',
    answers: { 204: { description: 'Done.' } },
    problems: ['forbidden'],
  },
  {
    method: 'post',
    path: '/v1/messages/{id}/regenerate',
    id: 'regenerate',
    tag: 'Messages',
    summary: 'Answer a message anew',
    description:
      'A user’s message, or an answer. The old answer stays until the new one ends with text; the terminal event then ' +
      'has `replacesMessageId`.',
    caller: 'session',
    headers: ['Idempotency-Key'],
    body: {
      schema: bodies.GenerationOptions,
      required: false,
      examples: { model: { summary: 'With another model', value: { model: 'demo-fast' } } },
    },
    answers: {
      202: {
        description: 'Accepted.',
        schema: answerSchemas.AcceptedGeneration,
        headers: ['Location', 'Idempotency-Replayed'],
        example: { generation: queuedGeneration },
      },
    },
    problems: askingProblems,
  },
];
