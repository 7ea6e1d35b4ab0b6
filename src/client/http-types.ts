import type { TextBlock, ToolResultBlock } from '../domain/content.js';
import type { Concurrency, MemberRole, Message, User } from '../domain/conversation.js';
import type { Generation, GenerationOptions } from '../domain/generation.js';

/** Bodies and answers of the HTTP API that are not rows of the domain. */

export interface Session {
  token: string;
  user: User;
  /** ISO 8601 UTC. */
  expiresAt: string;
}

/** What a message may hold: text, or blocks, with which a client also answers the calls of its own tools. */
export type NewContent = string | (Pick<TextBlock, 'type' | 'text'> | ToolResultBlock)[];

export interface NewConversation {
  title?: string | null;
  system?: string | null;
  model?: string | null;
  concurrency?: Concurrency;
  /** The document that its questions are about: its text is in every prompt, and answers cite its sections. */
  documentId?: string | null;
  messages?: { role: 'user' | 'assistant'; content: NewContent }[];
}

export interface NewMessage {
  content: NewContent;
  /** Default true; false: a remark between people. */
  generate?: boolean | GenerationOptions;
  /** The sender's own name for the message; comes back on it, so that an optimistic copy can be replaced. */
  clientId?: string;
  metadata?: Record<string, unknown>;
}

export interface NewDocument {
  /** Default: the file's own. */
  name?: string;
  options?: GenerationOptions;
  /** How much of the upload is on its way; only browsers tell. */
  onProgress?: (progress: UploadProgress) => void;
}

export interface UploadProgress {
  sentBytes: number;
  totalBytes: number;
}

/** What accepting a message answers; `generation` is absent for a remark. */
export interface AcceptedMessage {
  message: Message;
  generation?: Generation;
}

/** What of a conversation can be changed; null goes back to the server's own. */
export interface ConversationChanges {
  title?: string | null;
  system?: string | null;
  model?: string | null;
  concurrency?: Concurrency;
}

export interface Member {
  user: User;
  role: MemberRole;
  /** ISO 8601 UTC. */
  joinedAt: string;
}

export interface Invite {
  token: string;
  /** Where the web app accepts it. */
  url: string;
  /** ISO 8601 UTC. */
  expiresAt: string;
}

/** An edited message; `generation` is there when it is answered anew. */
export interface EditedMessage {
  message: Message;
  generation?: Generation | null;
}

/** The first and last day (UTC, `YYYY-MM-DD`) of a report; by default the last 30 days. */
export interface UsageQuery {
  from?: string;
  to?: string;
}

export interface PageQuery {
  /** 1–200, default 50. */
  limit?: number;
  before?: string;
}

export interface RequestOptions {
  signal?: AbortSignal;
  /** Makes sending again safe: the server answers the first acceptance again. */
  idempotencyKey?: string;
  /** Default 10,000 ms. */
  timeoutMs?: number;
}
