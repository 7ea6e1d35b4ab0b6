import { z } from 'zod';
import { documentPhases } from '../../domain/document-phase.js';
import { isCursor } from '../cursor.js';
import type { RoomEventPayloads, RoomEventType, AnySnapshot, WarningCode } from '../room-events.js';
import { parseRoom, type Room } from '../room.js';
import { id, time } from './common.js';
import { chunk } from './content.js';
import { conversation, conversationView, message, user } from './conversation.js';
import { document, documentHead, sectionStatus } from './document.js';
import { generation, generationHead, generationMetrics, htmlBlock } from './generation.js';

/** The events of contract §6, as sockets and event streams carry them. */

const generationId = id;
const presentUsers = z.array(z.object({ ...user.shape, connections: z.int() }));

export const snapshot = z.union([
  z
    .object({
      conversation: conversationView,
      messages: z.array(message),
      generations: z.array(generation),
      users: presentUsers,
    })
    .describe('Of a conversation: the last 50 messages, without those being streamed.'),
  z.object({ document, generations: z.array(generation) }).describe('Of a document.'),
  z.object({ generation }).describe('Of `/v1/generations/{id}/events`.'),
  z
    .object({ conversations: z.array(conversationView), documents: z.array(documentHead) })
    .describe('Of `user:<id>`.'),
]) satisfies z.ZodType<AnySnapshot>;

const warningCode = z.enum([
  'near_token_limit',
  'near_budget',
  'max_tokens_lowered',
  'retrying',
  'rate_limited',
  'repairing',
  'fallback_blocking',
  'history_cut',
]) satisfies z.ZodType<WarningCode>;

const ofMessage = { message };
const ofConversation = { conversation };
const ofMember = { user, conversation };
const ofDocument = { document: documentHead };
const ofGeneration = { generationId, generation: generationHead };
const ofEnd = {
  generationId,
  generation: z.union([generation, generationHead]).describe('In document rooms with text and content.'),
  message: message.nullable().describe('Authoritative; null when nothing was written or kept.'),
  replacesMessageId: id.optional(),
};

/** What belongs to each type of event beside the envelope. */
const payloads = {
  snapshot: { snapshot },
  'message.created': ofMessage,
  'message.updated': ofMessage,
  'message.deleted': ofMessage,
  'messages.cleared': ofConversation,
  'conversation.updated': ofConversation,
  'conversation.deleted': ofConversation,
  'member.joined': ofMember,
  'member.left': ofMember,
  'generation.waiting': ofGeneration,
  'generation.queued': ofGeneration,
  'generation.started': ofGeneration,
  'generation.chunk': { generationId, messageId: id, chunk, sentenceIndex: z.int().optional() },
  'generation.html': { generationId, ...htmlBlock.shape },
  'generation.tool_result': {
    generationId,
    toolUseId: z.string(),
    name: z.string(),
    output: z.string(),
    isError: z.boolean(),
  },
  'generation.object': { generationId, index: z.int(), value: z.unknown(), complete: z.boolean() },
  'generation.warning': { generationId, code: warningCode, message: z.string() },
  'generation.progress': {
    generationId,
    metrics: generationMetrics,
    estimatedPercent: z.number(),
    estimatedOutputTokens: z.number(),
    stage: z.string().nullable(),
  },
  'generation.reset': { generationId, attempt: z.int(), reason: z.string() },
  'generation.completed': ofEnd,
  'generation.cancelled': ofEnd,
  'generation.failed': ofEnd,
  'document.started': ofDocument,
  'document.section': { ...ofDocument, index: z.int(), total: z.int(), status: sectionStatus },
  'document.phase': { ...ofDocument, phase: z.enum(documentPhases), status: sectionStatus },
  'document.completed': ofDocument,
  'document.cancelled': ofDocument,
  'document.failed': ofDocument,
  'document.deleted': ofDocument,
  'conversation.activity': { conversation: conversationView },
  'document.activity': ofDocument,
  presence: { users: presentUsers },
  typing: { user, typing: z.boolean() },
  'session.expiring': {},
  'session.expired': {},
} satisfies {
  [T in RoomEventType]: ShapeOf<T extends 'snapshot' ? { snapshot: AnySnapshot } : RoomEventPayloads[T]>;
};

/** A zod shape whose values are of this type. */
type ShapeOf<P> = { [K in keyof P]-?: z.ZodType<P[K]> };

const room = z
  .custom<Room>((value) => parseRoom(value) !== undefined)
  .meta({ type: 'string', description: '`conversation:<id>`, `document:<id>` or `user:<id>`' });

export const cursor = z
  .custom<string>(isCursor)
  .meta({ type: 'string', pattern: '^\\d+-\\d+$', description: 'Send back the last one that was seen.' });

const about: Partial<Record<RoomEventType, string>> = {
  snapshot: 'Replace all that you hold of the room.',
  'generation.started': 'Once per attempt.',
  'generation.chunk': 'One stream event of the model, in the vocabulary of the Messages API.',
  'generation.html': 'Takes the place of the block.',
  'generation.reset': 'Forget its content: it starts over.',
  'generation.progress': 'At most 4 a second; not logged.',
  presence: 'All who watch now. Not logged.',
  typing: 'Ends by itself after 5 s. Not logged.',
  'session.expiring': 'The token ends in 60 s.',
  'session.expired': 'Of event streams: the last event.',
};

const event = (type: RoomEventType) =>
  z
    .object({
      type: z.literal(type),
      room: room.optional().describe('Absent in what concerns the session.'),
      cursor: cursor.optional().describe('Absent in what is not logged.'),
      at: time,
      ...payloads[type],
    })
    .describe(about[type] ?? `What is told of a room: ${type}.`);

const roomEventTypes = Object.keys(payloads) as RoomEventType[];

/** The schema of each type of event. */
export const roomEvents = new Map(roomEventTypes.map((type) => [type, event(type)]));
