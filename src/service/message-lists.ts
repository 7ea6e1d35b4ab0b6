import type { ContentBlock } from '../domain/content.js';
import { textOf } from '../domain/content.js';
import type { User } from '../domain/conversation.js';
import { AppError } from '../domain/errors.js';
import type { Generation, GenerationOptions } from '../domain/generation.js';
import type { Executor } from '../store/database.js';
import { listHistory } from '../store/messages.js';
import type { MessageOrigin } from '../store/schema/conversations.js';
import { lockWithRight } from './access.js';
import { createConversation } from './conversations.js';
import { sendMessage } from './send-message.js';
import type { ServiceContext } from './service-context.js';
import type { Work } from './work.js';

interface ListedMessage {
  role: 'user' | 'assistant';
  content: ContentBlock[];
}

/** A question with all that was said before it. */
export interface NewMessageList {
  user: User;
  /** Where it is asked; undefined: in a new conversation. */
  conversationId: string | undefined;
  /** The last is the user's. */
  messages: readonly ListedMessage[];
  options: GenerationOptions;
  metadata: Record<string, unknown> | null;
  origin: MessageOrigin;
}

/**
 * Accepts the last of the messages, of neighbours all that are the user's, and the generation of its answer. Those before
 * it are the history of a new conversation. An existing one has its own, which the model sees as all of its members do:
 * there they have to be part of it.
 *
 * @throws AppError invalid_request (what was said before was not said there), and what accepting a message throws
 */
export async function askWithHistory(
  context: ServiceContext,
  work: Work,
  { user, conversationId, messages, options, metadata, origin }: NewMessageList,
): Promise<Generation> {
  const from = messages.findLastIndex(({ role }) => role === 'assistant') + 1;
  const history = messages.slice(0, from);
  let place = conversationId;
  if (place === undefined) {
    place = (await createConversation(context, work, user, { messages: history })).id;
  } else {
    const { nextPosition } = await lockWithRight(work.tx, place, user.id, 'write');
    await checkHistory(work.tx, place, nextPosition, history);
  }
  const { generation } = await sendMessage(context, work, {
    conversationId: place,
    author: user,
    content: messages.slice(from).flatMap(({ content }) => content),
    generate: options,
    optionsAreWhole: true,
    clientId: null,
    metadata,
    origin,
  });
  if (!generation) throw new AppError('internal', 'Nothing was asked.');
  return generation;
}

/** Each of the messages has to be in the history, in their order; others may have written in between. */
async function checkHistory(
  db: Executor,
  conversationId: string,
  upToPosition: number,
  messages: readonly ListedMessage[],
): Promise<void> {
  if (messages.length === 0) return;
  const stored = (await listHistory(db, conversationId, upToPosition)).map(keyOf);
  let at = 0;
  for (const [index, message] of messages.entries()) {
    const found = stored.indexOf(keyOf(message), at);
    if (found < 0) {
      const path = `messages.${index}`;
      const why =
        'is not in the conversation, whose own history counts: send what is new alone, or ask without x-conversation-id';
      throw new AppError('invalid_request', `${path}: ${why}`, { errors: [{ path, message: why }] });
    }
    at = found + 1;
  }
}

/** What was said, without what only models read. */
function keyOf({ role, content }: Pick<ListedMessage, 'role' | 'content'>): string {
  const calls = content.flatMap((block) => {
    if (role === 'assistant') return block.type === 'tool_use' ? [block.id] : [];
    return block.type === 'tool_result' ? [block.tool_use_id] : [];
  });
  return JSON.stringify([role, textOf(content), calls]);
}
