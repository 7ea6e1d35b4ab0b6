import { endedGeneration, queuedGeneration } from '../examples.js';
import { answerSchemas } from '../named-schemas.js';
import type { Operation } from '../operation.js';
import { askingProblems } from './messages.js';

export const generationOperations = (): Operation[] => [
  {
    method: 'get',
    path: '/v1/generations/{id}',
    id: 'getGeneration',
    tag: 'Generations',
    summary: 'A generation, with what it has written so far',
    caller: 'session',
    answers: {
      200: { description: 'The generation.', schema: answerSchemas.Generation, example: endedGeneration },
    },
  },
  {
    method: 'post',
    path: '/v1/generations/{id}/cancel',
    id: 'cancelGeneration',
    tag: 'Generations',
    summary: 'Stop it: what was written is kept',
    caller: 'session',
    answers: {
      202: {
        description: 'It is being cancelled.',
        schema: answerSchemas.Generation,
        example: queuedGeneration,
      },
    },
    problems: ['forbidden', 'generation_ended'],
  },
  {
    method: 'post',
    path: '/v1/generations/{id}/continue',
    id: 'continueGeneration',
    tag: 'Generations',
    summary: 'Go on from a partial answer',
    description:
      'Of one that was cancelled, failed or stopped at `max_tokens`: a new generation with the same `messageId`. Its ' +
      'stream repeats the text first.',
    caller: 'session',
    headers: ['Idempotency-Key'],
    answers: {
      202: {
        description: 'Accepted.',
        schema: answerSchemas.AcceptedGeneration,
        headers: ['Location', 'Idempotency-Replayed'],
        example: { generation: queuedGeneration },
      },
    },
    problems: [...askingProblems, 'nothing_to_continue', 'conversation_busy'],
  },
  {
    method: 'delete',
    path: '/v1/generations/{id}/cache',
    id: 'forgetCachedAnswer',
    tag: 'Generations',
    summary: 'Delete what the cache has of its answer',
    caller: 'session',
    answers: { 204: { description: 'Done.' } },
    problems: ['forbidden'],
  },
];
