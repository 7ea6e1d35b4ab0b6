import { z } from 'zod';
import {
  concurrencies,
  type Conversation,
  type ConversationView,
  type Message,
  type User,
} from '../../domain/conversation.js';
import { contentBlock } from './content.js';
import { id, time } from './common.js';
import { generation } from './generation.js';

/** What is answered about conversations, and by whom they are. */

export const user = z.object({
  id: z.string().describe('A UUID; with tokens of a host application, its own id.'),
  name: z.string(),
}) satisfies z.ZodType<User>;

export const session = z.object({ token: z.string(), user, expiresAt: time });

/** As everybody in the room sees it. */
export const conversation = z.object({
  id,
  title: z.string().nullable(),
  system: z.string().nullable(),
  model: z.string().nullable().describe('Null: the default of the server.'),
  concurrency: z.enum(concurrencies),
  documentId: id.optional().describe('The document that its questions are about.'),
  running: z.int().describe('Generations that have not ended.'),
  createdAt: time,
  updatedAt: time,
}) satisfies z.ZodType<Conversation>;

const role = z.enum(['owner', 'member', 'viewer']);

/** As one of its members sees it. */
export const conversationView = z.object({
  ...conversation.shape,
  role: role.describe('The caller’s.'),
  unread: z.int().describe('Messages of others after the caller’s last read position.'),
}) satisfies z.ZodType<ConversationView>;

export const message = z.object({
  id,
  conversationId: id,
  role: z.enum(['user', 'assistant']),
  author: user.nullable(),
  text: z.string().describe('The text of `content`.'),
  content: z.array(contentBlock),
  status: z.enum(['streaming', 'complete', 'partial']),
  generationId: id.nullable(),
  clientId: z.string().nullable().describe('The sender’s own name for it.'),
  metadata: z.record(z.string(), z.unknown()).nullable(),
  position: z.int().describe('Lists are in this order; an answer’s follows its prompt’s.'),
  createdAt: time,
}) satisfies z.ZodType<Message>;

export const member = z.object({ user, role, joinedAt: time });

export const invite = z.object({
  token: z.string(),
  url: z.string().describe('Where the web app accepts it.'),
  expiresAt: time,
});

/** What accepting a message answers. */
export const acceptedMessage = z.object({
  message,
  generation: generation.optional().describe('Absent for a remark between people.'),
});

export const acceptedGeneration = z.object({ generation });
