import { lockConversation, type ConversationRow } from '../store/conversations.js';
import type { Transaction } from '../store/database.js';
import { lockDocument, type DocumentRow } from '../store/documents.js';
import type { GenerationRow } from '../store/generations.js';

/** What a generation belongs to. */
export type Place = { conversation: ConversationRow } | { document: DocumentRow };

/** Locks what a generation belongs to, as every transaction does first. Undefined: it is no longer there. */
export async function lockPlace(
  tx: Transaction,
  { conversationId, documentId }: Pick<GenerationRow, 'conversationId' | 'documentId'>,
): Promise<Place | undefined> {
  if (conversationId !== null) {
    const conversation = await lockConversation(tx, conversationId);
    return conversation && { conversation };
  }
  const document = documentId === null ? undefined : await lockDocument(tx, documentId);
  return document && { document };
}
