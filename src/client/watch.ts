import { hasEnded } from '../domain/generation.js';
import { conversationRoom, documentRoom, userRoom } from '../wire/room.js';
import type {
  ConversationSnapshot,
  DocumentSnapshot,
  RoomSnapshot,
  UserSnapshot,
} from '../wire/room-events.js';
import { fromDocumentSnapshot, reduceDocument, type DocumentState } from './document-state.js';
import type { TokencastHttp } from './http.js';
import type { RequestOptions } from './http-types.js';
import { RoomConnection } from './room-connection.js';
import type { RoomConnectionOptions } from './room-view.js';
import { fromLook, fromSnapshot, reduceRoom, snapshotMessages, type RoomState } from './room-state.js';
import { fromUserSnapshot, reduceUser, type UserState } from './user-state.js';

/** Watches a conversation: see {@link RoomConnection}. */
export function watchConversation(conversationId: string, options: RoomConnectionOptions): RoomConnection {
  return new RoomConnection<RoomState, RoomSnapshot>(
    {
      room: conversationRoom(conversationId),
      look: (http, request) => lookAtConversation(http, conversationId, request),
    },
    { fromSnapshot, reduce: reduceRoom, fromLook },
    options,
  );
}

/** Watches a document: see {@link RoomConnection}. */
export function watchDocument(
  documentId: string,
  options: RoomConnectionOptions,
): RoomConnection<DocumentState, DocumentSnapshot> {
  return new RoomConnection<DocumentState, DocumentSnapshot>(
    {
      room: documentRoom(documentId),
      look: async (http, request) => ({
        document: await http.getDocument(documentId, request),
        generations: [],
      }),
    },
    { fromSnapshot: fromDocumentSnapshot, reduce: reduceDocument },
    options,
  );
}

/** Watches one's own lists: see {@link RoomConnection}. */
export function watchUser(
  userId: string,
  options: RoomConnectionOptions,
): RoomConnection<UserState, UserSnapshot> {
  return new RoomConnection<UserState, UserSnapshot>(
    {
      room: userRoom(userId),
      look: async (http, request) => {
        const [conversations, documents] = await Promise.all([
          http.listConversations({}, request),
          http.listDocuments({}, request),
        ]);
        return { conversations: conversations.items, documents: documents.items };
      },
    },
    { fromSnapshot: fromUserSnapshot, reduce: reduceUser },
    options,
  );
}

async function lookAtConversation(
  http: TokencastHttp,
  id: string,
  request: RequestOptions,
): Promise<ConversationSnapshot> {
  const [conversation, { items }] = await Promise.all([
    http.getConversation(id, request),
    http.listMessages(id, { limit: snapshotMessages }, request),
  ]);
  const writing = items.flatMap(({ status, generationId }) =>
    status === 'streaming' && generationId !== null ? [generationId] : [],
  );
  const generations = await Promise.all(writing.map((one) => http.getGeneration(one, request)));
  // What has ended since the list was made is a message by now.
  if (generations.some(({ status }) => hasEnded(status))) return lookAtConversation(http, id, request);
  return {
    conversation,
    messages: items.filter(({ status }) => status !== 'streaming'),
    generations,
    users: [],
  };
}
