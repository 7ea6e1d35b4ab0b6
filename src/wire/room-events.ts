import type { Chunk } from '../domain/content.js';
import type { Conversation, ConversationView, Message, User } from '../domain/conversation.js';
import type { Document, DocumentHead, SectionStatus } from '../domain/document.js';
import type { DocumentPhase } from '../domain/document-phase.js';
import type { Generation, GenerationHead, GenerationMetrics, HtmlBlock } from '../domain/generation.js';
import type { Cursor } from './cursor.js';
import type { Room } from './room.js';

/** What belongs to each type of event, beside the envelope. */
export interface RoomEventPayloads {
  snapshot: { snapshot: RoomSnapshot };
  'message.created': { message: Message };
  'message.updated': { message: Message };
  'message.deleted': { message: Message };
  'messages.cleared': { conversation: Conversation };
  'conversation.updated': { conversation: Conversation };
  'conversation.deleted': { conversation: Conversation };
  'member.joined': { user: User; conversation: Conversation };
  'member.left': { user: User; conversation: Conversation };
  'generation.waiting': { generationId: string; generation: GenerationHead };
  'generation.queued': { generationId: string; generation: GenerationHead };
  'generation.started': { generationId: string; generation: GenerationHead };
  'generation.chunk': { generationId: string; messageId: string; chunk: Chunk; sentenceIndex?: number };
  /** Takes the place of the block; logged when it is done. */
  'generation.html': { generationId: string } & HtmlBlock;
  'generation.tool_result': {
    generationId: string;
    toolUseId: string;
    name: string;
    /** What the model gets to read. */
    output: string;
    isError: boolean;
  };
  /** The value so far, where it is not complete. */
  'generation.object': { generationId: string; index: number; value: unknown; complete: boolean };
  'generation.warning': { generationId: string; code: WarningCode; message: string };
  'generation.progress': {
    generationId: string;
    metrics: GenerationMetrics;
    estimatedPercent: number;
    estimatedOutputTokens: number;
    stage: string | null;
  };
  'generation.reset': { generationId: string; attempt: number; reason: string };
  'generation.completed': TerminalPayload;
  'generation.cancelled': TerminalPayload;
  'generation.failed': TerminalPayload;
  'document.started': DocumentPayload;
  'document.section': DocumentPayload & { index: number; total: number; status: SectionStatus };
  'document.phase': DocumentPayload & { phase: DocumentPhase; status: SectionStatus };
  'document.completed': DocumentPayload;
  'document.cancelled': DocumentPayload;
  'document.failed': DocumentPayload;
  'document.deleted': DocumentPayload;
  'conversation.activity': { conversation: ConversationView };
  'document.activity': DocumentPayload;
  presence: { users: PresentUser[] };
  typing: { user: User; typing: boolean };
  'session.expiring': Record<string, unknown>;
  'session.expired': Record<string, unknown>;
}

export type WarningCode =
  | 'near_token_limit'
  | 'near_budget'
  | 'max_tokens_lowered'
  | 'retrying'
  | 'rate_limited'
  | 'repairing'
  | 'fallback_blocking'
  | 'history_cut';

interface DocumentPayload {
  /** Without texts. */
  document: DocumentHead;
}

interface TerminalPayload {
  generationId: string;
  /** In a document's room whole, with text and content. */
  generation: GenerationHead | Generation;
  /** Authoritative; null when nothing was written or kept. */
  message: Message | null;
  replacesMessageId?: string;
}

export interface PresentUser extends User {
  connections: number;
}

export type RoomEventType = keyof RoomEventPayloads;

/** The terminal events of a generation. */
export type TerminalEventType = 'generation.completed' | 'generation.cancelled' | 'generation.failed';

export const isTerminalEventType = (type: string): type is TerminalEventType =>
  type === 'generation.completed' || type === 'generation.cancelled' || type === 'generation.failed';

interface Envelope<T extends RoomEventType> {
  type: T;
  /** Absent in what concerns the session and no room. */
  room?: Room;
  /** Absent in what is not logged. */
  cursor?: Cursor;
  /** ISO 8601 UTC. */
  at: string;
}

/** One event as clients get it. A union over all types, so that `event.type` narrows the payload. */
export type RoomEvent = { [T in RoomEventType]: Envelope<T> & RoomEventPayloads[T] }[RoomEventType];

/** The same of a room whose snapshots are of another kind. */
export type RoomEventWith<S extends AnySnapshot> =
  Exclude<RoomEvent, { type: 'snapshot' }> | (Envelope<'snapshot'> & { snapshot: S });

/** An event of one type. */
export type RoomEventOf<T extends RoomEventType> = Envelope<T> & RoomEventPayloads[T];

/** All that a client needs to show a conversation as it is at a cursor. */
export interface ConversationSnapshot {
  conversation: ConversationView;
  /** The last 50 in the order of `position`, without those being streamed. */
  messages: Message[];
  /** Those that have not ended, with their content so far. */
  generations: Generation[];
  users: PresentUser[];
}

/** `/v1/generations/:id/events` begins with that generation alone. */
export interface GenerationSnapshot {
  generation: Generation;
}

/** What one person's lists show: the conversations that changed last, and the documents. */
export interface UserSnapshot {
  conversations: ConversationView[];
  /** The newest, without texts. */
  documents: DocumentHead[];
}

/** All that a client needs to show a document as it is at a cursor. */
export interface DocumentSnapshot {
  document: Document;
  /** Those that have not ended, with their content so far. */
  generations: Generation[];
}

/** What a conversation's clients begin with. */
export type RoomSnapshot = ConversationSnapshot | GenerationSnapshot;

/** What the clients of any room begin with. */
export type AnySnapshot = RoomSnapshot | DocumentSnapshot | UserSnapshot;
