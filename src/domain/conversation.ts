import type { ContentBlock } from './content.js';

/** What a conversation does with a message that comes while it is being answered. */
export const concurrencies = ['queue', 'reject', 'interrupt', 'parallel'] as const;
export type Concurrency = (typeof concurrencies)[number];

export type MemberRole = 'owner' | 'member' | 'viewer';

/** May this role send, cancel, type and invite? */
export function mayWrite(role: MemberRole): boolean {
  return role !== 'viewer';
}

export interface User {
  id: string;
  name: string;
}

/** What everybody in the room sees of a conversation. */
export interface Conversation {
  id: string;
  title: string | null;
  system: string | null;
  model: string | null;
  concurrency: Concurrency;
  /** The document that its questions are about. */
  documentId?: string;
  /** Generations that have not ended. */
  running: number;
  createdAt: string;
  updatedAt: string;
}

/** A conversation as one of its members sees it. */
export interface ConversationView extends Conversation {
  role: MemberRole;
  /** Messages of others after the caller's last read position. */
  unread: number;
}

export interface Message {
  id: string;
  conversationId: string;
  role: 'user' | 'assistant';
  author: User | null;
  text: string;
  content: ContentBlock[];
  status: 'streaming' | 'complete' | 'partial';
  generationId: string | null;
  clientId: string | null;
  metadata: Record<string, unknown> | null;
  /** Lists are in this order; an answer's follows its prompt's. */
  position: number;
  createdAt: string;
}
