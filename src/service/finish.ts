import {
  isOfConversation,
  isOfDocument,
  listActiveGenerations,
  toGeneration,
  toGenerationHead,
  updateGeneration,
  type ConversationGeneration,
  type GenerationRow,
} from '../store/generations.js';
import { deleteMessages, finishMessage } from '../store/messages.js';
import { conversationRoom } from '../wire/room.js';
import type { ServiceContext } from './service-context.js';
import { endRun } from './documents/end-run.js';
import { storeEnd, terminalEvent, type Outcome } from './store-end.js';
import type { Work } from './work.js';

/**
 * Ends a generation in the caller's transaction, which has locked its conversation or document and found it not ended:
 * stores what was written, settles what was reserved for it, tells the room, and lets the next one go.
 */
export async function finish(
  context: ServiceContext,
  work: Work,
  row: GenerationRow,
  outcome: Outcome,
): Promise<GenerationRow> {
  if (isOfDocument(row)) return endRun(context, work, row, outcome);
  if (isOfConversation(row)) return endAnswer(context, work, row, outcome);
  throw new Error(`generation ${row.id} belongs nowhere`);
}

/** Invariant: a generation that replaces an answer takes its place only when it ends with text. */
async function endAnswer(
  context: ServiceContext,
  work: Work,
  row: ConversationGeneration,
  outcome: Outcome,
): Promise<ConversationGeneration> {
  const ended = await storeEnd(context, work, row, outcome);
  const { status, content } = outcome;
  const message = await finishMessage(
    work.tx,
    row.messageId,
    content,
    status === 'completed' ? 'complete' : 'partial',
  );
  const replaced = message?.text ? row.replacesMessageId : null;
  if (replaced) await deleteMessages(work.tx, [replaced]);
  work.tell(
    conversationRoom(row.conversationId),
    terminalEvent[status],
    {
      generationId: row.id,
      generation: toGenerationHead(ended),
      message,
      ...(replaced && { replacesMessageId: replaced }),
    },
    row.id,
  );
  work.notify({
    userId: row.userId,
    type: `generation.${status}`,
    conversationId: row.conversationId,
    documentId: null,
    data: () => Promise.resolve({ generation: toGeneration(ended) }),
  });
  await promoteNext(work, row.conversationId);
  return ended;
}

/** Queues the first that waits in a conversation where none is queued or runs. The conversation is locked. */
export async function promoteNext(work: Work, conversationId: string): Promise<void> {
  const active = await listActiveGenerations(work.tx, conversationId);
  if (active.some(({ status }) => status !== 'waiting')) return;
  const next = active[0];
  if (!next) return;
  const queued = await updateGeneration(work.tx, next.id, {
    status: 'queued',
    queuedAt: new Date(),
  });
  await work.enqueue(queued);
}
