import { z } from 'zod';
import { chunkEvent, endEvent, frameOf } from '../examples.js';
import { answerSchemas } from '../named-schemas.js';
import type { AnswerDoc, Operation } from '../operation.js';

const stream = (description: string, example: string): AnswerDoc => ({
  description: `${description} \`event:\` is the type, \`id:\` the cursor, \`data:\` the event; a comment every 15 s.`,
  mediaType: 'text/event-stream',
  schema: answerSchemas.RoomEvent,
  events: true,
  example,
});

const resuming = { after: z.string().optional().describe('As `Last-Event-ID`, which counts before it.') };

const roomOf = (kind: 'conversation' | 'document'): Operation => ({
  method: 'get',
  path: `/v1/${kind}s/{id}/events`,
  id: `watch${kind === 'conversation' ? 'Conversation' : 'Document'}`,
  tag: 'Events',
  summary: `All that happens in a ${kind}`,
  caller: 'stream',
  query: z.object(resuming),
  headers: ['Last-Event-ID'],
  answers: { 200: stream(`The events of the ${kind}.`, frameOf(chunkEvent)) },
});

export const eventOperations = (): Operation[] => [
  roomOf('conversation'),
  roomOf('document'),
  {
    method: 'get',
    path: '/v1/generations/{id}/events',
    id: 'watchGeneration',
    tag: 'Events',
    summary: 'One generation, to its end',
    description: 'Closes after the terminal event. One that has ended: snapshot, terminal event, close.',
    caller: 'stream',
    query: z.object(resuming),
    headers: ['Last-Event-ID'],
    answers: {
      200: stream('The events of the generation.', frameOf(chunkEvent) + frameOf(endEvent)),
      204: { description: 'The cursor leaves nothing to send.' },
    },
  },
  {
    method: 'get',
    path: '/v1/events',
    id: 'watchRooms',
    tag: 'Events',
    summary: 'Several rooms in one stream',
    description:
      'Ids are the cursors joined by commas, in the order of the rooms. Each room resumes or begins anew alone.',
    caller: 'stream',
    query: z.object({
      room: z
        .array(z.string())
        .min(1)
        .max(50)
        .describe('`conversation:<id>`, `document:<id>`, or `user:<own id>`; once for each.'),
      ...resuming,
    }),
    headers: ['Last-Event-ID'],
    answers: { 200: stream('The events of all rooms.', frameOf(chunkEvent)) },
    problems: ['not_found'],
  },
];
