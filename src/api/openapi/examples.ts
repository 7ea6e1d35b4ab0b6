import type { ConversationView, Message, User } from '../../domain/conversation.js';
import type { DocumentHead } from '../../domain/document.js';
import type { Generation, GenerationHead } from '../../domain/generation.js';
import type { RoomEventOf } from '../../wire/room-events.js';

/** What the examples of the documents tell of: Ada asks one question in a conversation of hers. */

export const ids = {
  user: '019ab3c0-1f00-7d3e-8a51-4b1f6f0c2a01',
  conversation: '019ab3c0-2a10-7c11-9b52-0d9e5a7f1b02',
  prompt: '019ab3c0-3b20-7a22-8c53-1e8d4b6e2c03',
  answer: '019ab3c0-3b21-7a23-8d54-2f7c3a5d3d04',
  generation: '019ab3c0-3b22-7a24-8e55-306b294c4e05',
  document: '019ab3c0-4c30-7b33-8f56-415a183b5f06',
  webhook: '019ab3c0-5d40-7c44-9057-5249072a6007',
} as const;

const askedAt = '2026-11-20T09:30:00.000Z';
const endedAt = '2026-11-20T09:30:02.412Z';

export const ada: User = { id: ids.user, name: 'Ada' };

export const conversation: ConversationView = {
  id: ids.conversation,
  title: 'Backpressure',
  system: null,
  model: null,
  concurrency: 'queue',
  running: 0,
  createdAt: askedAt,
  updatedAt: endedAt,
  role: 'owner',
  unread: 0,
};

const question = 'What is backpressure?';
const answerText = 'It is how a slow reader tells a fast writer to wait.';

export const prompt: Message = {
  id: ids.prompt,
  conversationId: ids.conversation,
  role: 'user',
  author: ada,
  text: question,
  content: [{ type: 'text', text: question }],
  status: 'complete',
  generationId: null,
  clientId: null,
  metadata: null,
  position: 1,
  createdAt: askedAt,
};

export const answer: Message = {
  ...prompt,
  id: ids.answer,
  role: 'assistant',
  author: null,
  text: answerText,
  content: [{ type: 'text', text: answerText }],
  generationId: ids.generation,
  position: 2,
};

const noMetrics = {
  queuedMs: null,
  firstTokenMs: null,
  durationMs: null,
  chunks: 0,
  characters: 0,
  words: 0,
  charactersPerSecond: null,
  tokensPerSecond: null,
};

const queuedHead: GenerationHead = {
  id: ids.generation,
  conversationId: ids.conversation,
  documentId: null,
  sectionIndex: null,
  phase: null,
  status: 'queued',
  attempt: 0,
  model: 'claude-sonnet-5-5',
  options: {},
  promptId: ids.prompt,
  messageId: ids.answer,
  position: 2,
  stopReason: null,
  stopSequence: null,
  usage: null,
  costUsd: null,
  budget: null,
  metrics: noMetrics,
  provider: 'anthropic',
  requestId: null,
  providerMessageId: null,
  rateLimits: null,
  streamed: null,
  cached: false,
  error: null,
  createdAt: askedAt,
  startedAt: null,
  endedAt: null,
};

export const queuedGeneration: Generation = { ...queuedHead, text: '', content: [] };

const endedHead: GenerationHead = {
  ...queuedHead,
  status: 'completed',
  attempt: 1,
  stopReason: 'end_turn',
  usage: { inputTokens: 14, outputTokens: 13, cacheReadInputTokens: 0, cacheCreationInputTokens: 0 },
  costUsd: 0.000158,
  metrics: {
    queuedMs: 6,
    firstTokenMs: 480,
    durationMs: 2406,
    chunks: 9,
    characters: answerText.length,
    words: 12,
    charactersPerSecond: 27,
    tokensPerSecond: 6.8,
  },
  providerMessageId: 'msg_01XFDUDYJgAACzvnptvVoYEL',
  streamed: true,
  startedAt: '2026-11-20T09:30:00.006Z',
  endedAt,
};

export const endedGeneration: Generation = {
  ...endedHead,
  text: answerText,
  content: answer.content,
};

export const documentHead: DocumentHead = {
  id: ids.document,
  name: 'walden.md',
  mediaType: 'text/markdown',
  bytes: 5120,
  status: 'completed',
  phase: null,
  progress: { sectionsDone: 1, sectionsTotal: 1, percent: 100, remainingMs: null },
  sections: [{ index: 0, title: 'Economy', status: 'done', error: null }],
  usage: { inputTokens: 2400, outputTokens: 610, cacheReadInputTokens: 0, cacheCreationInputTokens: 0 },
  costUsd: 0.0109,
  error: null,
  createdAt: askedAt,
  endedAt,
};

const room = `conversation:${ids.conversation}` as const;

export const chunkEvent: RoomEventOf<'generation.chunk'> = {
  type: 'generation.chunk',
  room,
  cursor: '1763631000512-0',
  at: '2026-11-20T09:30:00.512Z',
  generationId: ids.generation,
  messageId: ids.answer,
  chunk: { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'It is how' } },
};

export const endEvent: RoomEventOf<'generation.completed'> = {
  type: 'generation.completed',
  room,
  cursor: '1763631002413-0',
  at: endedAt,
  generationId: ids.generation,
  generation: endedHead,
  message: answer,
};

/** An event as it stands in a stream. */
export const frameOf = (event: { type: string; cursor?: string }): string =>
  `event: ${event.type}\n${event.cursor === undefined ? '' : `id: ${event.cursor}\n`}data: ${JSON.stringify(event)}\n\n`;
