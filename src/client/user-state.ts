import type { ConversationView } from '../domain/conversation.js';
import type { DocumentHead } from '../domain/document.js';
import type { Cursor } from '../wire/cursor.js';
import type { RoomEventWith, UserSnapshot } from '../wire/room-events.js';

/** What one person's lists show. Immutable. */
export interface UserState {
  /** The last changed first. */
  readonly conversations: readonly ConversationView[];
  /** The newest first. */
  readonly documents: readonly DocumentHead[];
  readonly cursor: Cursor;
}

export function fromUserSnapshot({ conversations, documents }: UserSnapshot, cursor: Cursor): UserState {
  return {
    conversations: conversations.toSorted(byLastChange),
    documents: documents.toSorted(byCreation),
    cursor,
  };
}

/** The state after one more event of `user:<id>`. */
export function reduceUser(state: UserState, event: RoomEventWith<UserSnapshot>): UserState {
  switch (event.type) {
    case 'snapshot':
      return fromUserSnapshot(event.snapshot, event.cursor ?? state.cursor);
    case 'conversation.activity':
      return { ...state, conversations: put(state.conversations, event.conversation).sort(byLastChange) };
    case 'document.activity':
      return { ...state, documents: put(state.documents, event.document).sort(byCreation) };
    default:
      return state;
  }
}

const put = <T extends { id: string }>(items: readonly T[], item: T): T[] => [
  item,
  ...items.filter(({ id }) => id !== item.id),
];

/** ISO 8601 UTC compares as text. */
const byLastChange = (a: ConversationView, b: ConversationView): number =>
  a.updatedAt === b.updatedAt ? 0 : a.updatedAt < b.updatedAt ? 1 : -1;
const byCreation = (a: DocumentHead, b: DocumentHead): number =>
  a.createdAt === b.createdAt ? 0 : a.createdAt < b.createdAt ? 1 : -1;
