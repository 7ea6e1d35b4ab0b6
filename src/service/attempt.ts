import type { ContentBlock } from '../domain/content.js';
import type { Message } from '../domain/conversation.js';
import type { EndedStatus, Usage } from '../domain/generation.js';
import type { ConversationRow } from '../store/conversations.js';
import {
  beginAttempt,
  findGeneration,
  isOfConversation,
  isOfDocument,
  lockGeneration,
  toGenerationHead,
  updateGeneration,
  type ConversationGeneration,
  type DocumentGeneration,
  type GenerationRow,
} from '../store/generations.js';
import { listHistory } from '../store/messages.js';
import { generationRoom } from '../wire/room.js';
import { beginRun, type DocumentTask } from './documents/begin-run.js';
import { readDocumentContext, type DocumentContext } from './documents/document-context.js';
import { finish } from './finish.js';
import { lockPlace, type Place } from './lock-place.js';
import { readAllowance, type Allowance } from './reserve.js';
import type { ServiceContext } from './service-context.js';
import { settleSoFar, writeOff } from './settle.js';
import type { Outcome } from './store-end.js';
import { transact, type Work } from './work.js';
import { readWritten } from './written.js';

/** The newest questions tell which sections of a document are wanted. */
const questionsRead = 2;

/** After so many workers have died while they ran it, a generation is given up: it may be what kills them. */
const maxLostWorkers = 3;

/** A generation that this worker runs now, with all that its model call is made of. */
export type Attempt = AnswerAttempt | RunAttempt;

/** Of an answer in a conversation. */
export interface AnswerAttempt {
  generation: ConversationGeneration;
  conversation: ConversationRow;
  history: Message[];
  /** The document that the conversation is about. */
  about?: DocumentContext | undefined;
  /** What it may spend on its first call. */
  allowance: Allowance;
  /** The worker that ran it before was lost. */
  takesOver?: boolean;
}

/** Of a section or phase of a document. */
export interface RunAttempt {
  generation: DocumentGeneration;
  task: DocumentTask;
  /** What it may spend on its first call. */
  allowance: Allowance;
  /** The worker that ran it before was lost. */
  takesOver?: boolean;
}

/**
 * Begins an attempt. Undefined: there is nothing to do, since it has ended or been cancelled, or is no longer there.
 *
 * Invariant: Postgres counts the attempts, and whoever has not the newest number writes nothing, neither to the log
 * (A1) nor an end.
 */
export async function beginGeneration(
  context: ServiceContext,
  generationId: string,
): Promise<Attempt | undefined> {
  const found = await findGeneration(context.db, generationId);
  if (!found) return undefined;
  return transact(
    context,
    async (work) => {
      const place = await lockPlace(work.tx, found);
      const begun = place && (await beginAttempt(work.tx, generationId));
      if (!begun) return undefined;
      const died = begun.lostWorkers > found.lostWorkers;
      const givenUp = begun.cancelRequestedAt ?? begun.lostWorkers >= maxLostWorkers;
      // Not without Redis: what was written would be lost with the end, and what the dead worker used with its call.
      const written = died || givenUp ? await readWritten(context.roomLog, begun) : undefined;
      const generation = died && written?.lost ? await writeOff(work.tx, begun) : begun;
      if (givenUp) {
        await finish(context, work, generation, {
          content: written?.content ?? [],
          usage: written?.usage ?? null,
          ...(generation.cancelRequestedAt
            ? { status: 'cancelled', stopReason: generation.cancelReason }
            : {
                status: 'failed',
                stopReason: null,
                error: {
                  code: 'worker_lost',
                  message: `${maxLostWorkers} workers were lost while they ran this generation.`,
                  provider: null,
                  statusCode: null,
                },
              }),
        });
        return undefined;
      }
      work.tell(generationRoom(generation), 'generation.started', {
        generationId,
        generation: toGenerationHead(generation),
      });
      const attempt = await materialOf(context, work, place, generation);
      return attempt && { ...attempt, takesOver: died };
    },
    'begin attempt',
  );
}

/** What the model call of an attempt is made of; undefined: nobody wants it any more, and it has ended here. */
async function materialOf(
  context: ServiceContext,
  work: Work,
  place: Place,
  generation: GenerationRow,
): Promise<Attempt | undefined> {
  if ('conversation' in place && isOfConversation(generation)) {
    const { conversation } = place;
    const history = await listHistory(work.tx, conversation.id, generation.position - 1);
    const allowance = await readAllowance(context, work, generation);
    const about = await contextOf(work, conversation, generation, history);
    return { generation, allowance, conversation, history, about };
  }
  if ('document' in place && isOfDocument(generation)) {
    const task = await beginRun(work, place.document, generation);
    if (task) return { generation, allowance: await readAllowance(context, work, generation), task };
  }
  await finish(context, work, generation, {
    status: 'cancelled',
    stopReason: 'cancelled',
    content: generation.content,
  });
  return undefined;
}

/** What of a document goes with the question; what was asked before it tells what it is about, too. */
async function contextOf(
  { tx }: Work,
  { documentId }: ConversationRow,
  { model }: GenerationRow,
  history: readonly Message[],
): Promise<DocumentContext | undefined> {
  if (documentId === null) return undefined;
  const asked = history.filter(({ role }) => role === 'user').slice(-questionsRead);
  return readDocumentContext(tx, documentId, model, asked.map(({ text }) => text).join('\n'));
}

/** Whether this attempt is still the one that runs, and whether it is wanted. */
export async function confirmAttempt(
  { db }: ServiceContext,
  { id, attempt }: Pick<GenerationRow, 'id' | 'attempt'>,
): Promise<'current' | 'cancelled' | 'fenced'> {
  const row = await findGeneration(db, id);
  if (row?.status !== 'running' || row.attempt !== attempt) return 'fenced';
  return row.cancelRequestedAt ? 'cancelled' : 'current';
}

/**
 * Ends the attempt's generation; answers how: one that somebody wanted to be cancelled is. Undefined: it is not this
 * attempt's any more, and nothing was changed.
 */
export async function endAttempt(
  context: ServiceContext,
  { id, attempt, ...place }: Pick<GenerationRow, 'id' | 'attempt' | 'conversationId' | 'documentId'>,
  outcome: Outcome,
  details: Partial<
    Pick<GenerationRow, 'requestId' | 'providerMessageId' | 'rateLimits' | 'streamed' | 'cached'>
  >,
): Promise<EndedStatus | undefined> {
  return transact(
    context,
    async (work) => {
      if (!(await lockPlace(work.tx, place))) return undefined;
      const row = await lockGeneration(work.tx, id);
      if (row?.status !== 'running' || row.attempt !== attempt) return undefined;
      await updateGeneration(work.tx, id, details);
      const end: Outcome = row.cancelRequestedAt
        ? { ...outcome, status: 'cancelled', stopReason: row.cancelReason, error: null }
        : outcome;
      await finish(context, work, row, end);
      return end.status;
    },
    'store end',
  );
}

/**
 * Gives the generation back, to be gone on with by any worker; not counted as a loss. What was written so far is kept
 * for the case that Redis is lost meanwhile; what it cost is spent, and what is left of its reservation stays for who
 * goes on. `cancelled`: nobody is to go on with it, so it is the attempt's to end. Undefined: it was not this attempt's
 * any more.
 *
 * @param soFar undefined: the attempt has not come to know what those before it have written, and adds nothing
 */
export async function handOverAttempt(
  context: ServiceContext,
  { id, attempt, ...place }: Pick<GenerationRow, 'id' | 'attempt' | 'conversationId' | 'documentId'>,
  soFar: { content: ContentBlock[]; usage: Usage } | undefined,
): Promise<'handedOver' | 'cancelled' | undefined> {
  return transact(
    context,
    async ({ tx }) => {
      const row = (await lockPlace(tx, place)) && (await lockGeneration(tx, id));
      if (row?.status !== 'running' || row.attempt !== attempt) return undefined;
      // Else it would wait for a worker to be over, behind a provider that asks for time, say.
      if (row.cancelRequestedAt && soFar) return 'cancelled';
      if (soFar) await settleSoFar(tx, row, soFar.usage);
      await updateGeneration(tx, id, { status: 'queued', ...soFar });
      return 'handedOver';
    },
    'hand over',
  );
}
