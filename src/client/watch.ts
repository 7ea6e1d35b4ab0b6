import { conversationRoom, documentRoom, userRoom } from '../wire/room.js';
import type { DocumentSnapshot, UserSnapshot } from '../wire/room-events.js';
import { fromDocumentSnapshot, reduceDocument, type DocumentState } from './document-state.js';
import { RoomConnection, type RoomConnectionOptions } from './room-connection.js';
import { fromSnapshot, reduceRoom } from './room-state.js';
import { fromUserSnapshot, reduceUser, type UserState } from './user-state.js';

/** Watches a conversation: see {@link RoomConnection}. */
export function watchConversation(conversationId: string, options: RoomConnectionOptions): RoomConnection {
  return new RoomConnection(conversationRoom(conversationId), { fromSnapshot, reduce: reduceRoom }, options);
}

/** Watches a document: see {@link RoomConnection}. */
export function watchDocument(
  documentId: string,
  options: RoomConnectionOptions,
): RoomConnection<DocumentState, DocumentSnapshot> {
  return new RoomConnection(
    documentRoom(documentId),
    { fromSnapshot: fromDocumentSnapshot, reduce: reduceDocument },
    options,
  );
}

/** Watches one's own lists: see {@link RoomConnection}. */
export function watchUser(
  userId: string,
  options: RoomConnectionOptions,
): RoomConnection<UserState, UserSnapshot> {
  return new RoomConnection(
    userRoom(userId),
    { fromSnapshot: fromUserSnapshot, reduce: reduceUser },
    options,
  );
}
