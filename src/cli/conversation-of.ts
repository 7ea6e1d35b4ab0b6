import type { ConversationView } from '../client/index.js';
import { parsePlace } from './place.js';
import type { SignedIn } from './sign-in.js';

/** The conversation that a room or a link names, entered by the link; a new one where none is named. @throws Error, TokencastError */
export async function conversationOf(
  { http }: SignedIn,
  room: string | undefined,
  { model, title }: { model?: string | undefined; title?: string } = {},
): Promise<ConversationView> {
  if (room === undefined)
    return http.createConversation({ ...(model && { model }), ...(title && { title }) });
  const { kind, id } = parsePlace(room);
  switch (kind) {
    case 'invite':
      return http.acceptInvite(id);
    case 'conversation':
    case 'id':
      return http.getConversation(id);
    case 'document':
    case 'generation':
      throw new Error(`A ${kind} is no conversation: nobody can write there.`);
  }
}
