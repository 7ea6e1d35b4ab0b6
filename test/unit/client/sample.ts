import type { Chunk, ContentBlock } from '../../../src/domain/content.js';
import type { ConversationView, Message, User } from '../../../src/domain/conversation.js';
import type { GenerationHead, GenerationStatus } from '../../../src/domain/generation.js';

/** Rows as the server makes them, for tests that only care about a few fields. */

export const conversationId = '0199aaaa-0000-7000-8000-000000000001';
export const ada: User = { id: 'ada', name: 'Ada' };
const at = '2026-11-21T12:00:00.000Z';

export const conversation = (changes: Partial<ConversationView> = {}): ConversationView => ({
  id: conversationId,
  title: 'Backpressure',
  system: null,
  model: null,
  concurrency: 'queue',
  role: 'owner',
  unread: 0,
  running: 0,
  createdAt: at,
  updatedAt: at,
  ...changes,
});

export const message = (id: string, position: number, changes: Partial<Message> = {}): Message => ({
  id,
  conversationId,
  role: 'user',
  author: ada,
  text: `text of ${id}`,
  content: [{ type: 'text', text: `text of ${id}` }],
  status: 'complete',
  generationId: null,
  clientId: null,
  metadata: null,
  position,
  createdAt: at,
  ...changes,
});

export const generation = (
  id: string,
  status: GenerationStatus,
  changes: Partial<GenerationHead> = {},
): GenerationHead => ({
  id,
  conversationId,
  documentId: null,
  sectionIndex: null,
  phase: null,
  status,
  attempt: 1,
  model: 'demo',
  options: {},
  promptId: null,
  messageId: `answer-${id}`,
  position: null,
  stopReason: null,
  stopSequence: null,
  usage: null,
  costUsd: null,
  budget: null,
  metrics: {
    queuedMs: null,
    firstTokenMs: null,
    durationMs: null,
    chunks: 0,
    characters: 0,
    words: 0,
    charactersPerSecond: null,
    tokensPerSecond: null,
  },
  provider: 'demo',
  requestId: null,
  providerMessageId: null,
  rateLimits: null,
  streamed: null,
  cached: false,
  error: null,
  createdAt: at,
  startedAt: null,
  endedAt: null,
  ...changes,
});

export const messageStart: Chunk = {
  type: 'message_start',
  message: {
    id: 'msg',
    type: 'message',
    role: 'assistant',
    model: 'demo',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: {},
  },
};

export const blockStart = (index: number, block: ContentBlock): Chunk => ({
  type: 'content_block_start',
  index,
  content_block: block,
});

export const textDelta = (index: number, text: string): Chunk => ({
  type: 'content_block_delta',
  index,
  delta: { type: 'text_delta', text },
});
