import type { User } from '../domain/conversation.js';
import { findConversation, type LastingConversation } from '../store/conversations.js';
import { findRole } from '../store/members.js';
import type { Database } from '../store/database.js';
import { findDocumentOf } from '../store/documents.js';
import type { RoomEventOf } from '../wire/room-events.js';
import { conversationRoom } from '../wire/room.js';
import { Frame } from './frame.js';

const questions = new Set(['conversation.deleted', 'document.deleted', 'member.left']);

/** Whether an event of this type can tell that somebody's right has gone. */
export const questionsRights = (type: string): boolean => questions.has(type);

/**
 * Somebody's right to watch a room. Postgres decides on it, as it is now; what the log says of it may be long past:
 * somebody may have been removed, come back by an invitation, and only then read of the removal.
 */
export interface WatchRight {
  /** Whether this event tells that the right may have gone. */
  isQuestionedBy(frame: Frame): boolean;
  /** Whether it stands now. Fails when Postgres does not answer. */
  stands(): Promise<boolean>;
  /** What tells that it has gone to somebody to whom the log does not; not logged. Fails when Postgres does not answer. */
  farewell(): Promise<Frame | undefined>;
}

/** Everybody may watch what is theirs. */
export const ownRight: WatchRight = {
  isQuestionedBy: () => false,
  stands: () => Promise.resolve(true),
  farewell: () => Promise.resolve(undefined),
};

/** The right of a document's owner. Everybody who watches it is told of its end by the log. */
export function documentRight(db: Database, user: User, id: string): WatchRight {
  return {
    isQuestionedBy: ({ type }) => type === 'document.deleted',
    stands: async () => (await findDocumentOf(db, id, user.id)) !== undefined,
    farewell: () => Promise.resolve(undefined),
  };
}

/** The right of a conversation's member. `known`: what the farewell says of a conversation that is no more. */
export function memberRight(db: Database, user: User, known: LastingConversation): WatchRight {
  const { id } = known;
  const room = conversationRoom(id);
  return {
    isQuestionedBy: ({ type, data }) =>
      type === 'conversation.deleted' ||
      (type === 'member.left' && (JSON.parse(data) as RoomEventOf<'member.left'>).user.id === user.id),
    stands: async () => (await findRole(db, id, user.id)) !== undefined,
    farewell: async () => {
      const conversation = await findConversation(db, id);
      const at = new Date().toISOString();
      const event = conversation
        ? { type: 'member.left', room, at, user, conversation }
        : { type: 'conversation.deleted', room, at, conversation: { ...known, system: null, running: 0 } };
      return new Frame(event.type, undefined, JSON.stringify(event));
    },
  };
}
