import { uuidv7 } from '../ids.js';
import type { DocumentError } from '../../domain/document.js';
import { AppError } from '../../domain/errors.js';
import {
  findSection,
  listSteps,
  updateDocument,
  updateSteps,
  type DocumentRow,
  type StepRow,
} from '../../store/documents.js';
import { readDocument, readDocumentHead } from '../../store/document-views.js';
import { currentTraceparent } from '../../lib/tracing.js';
import { generationWrite, newGeneration, transactionTime } from '../../store/new-generations.js';
import { writeTogether } from '../../store/write-together.js';
import { documentRoom } from '../../wire/room.js';
import type { ServiceContext } from '../service-context.js';
import type { Work } from '../work.js';
import { reserveRun } from './reserve-run.js';

export const isOpen = ({ status }: StepRow): boolean => status === 'queued' || status === 'running';
const isPending = ({ status }: StepRow) => status === 'pending';

/** How long a section that has failed waits for its next run, by how often it has. */
const retryDelaysMs = [0, 1000, 4000] as const;

/**
 * Lets go what comes next in a document, or ends it. The one place that decides it: called under the document's lock at
 * the end of every transaction that changed a step. The rules stand in docs/decisions/0005.
 *
 * @returns why the document cannot go on: its owner's budget is used up, and nothing of it runs that could give back
 *   what it has reserved. The caller fails it, or refuses what was asked for
 */
export async function promote(
  context: ServiceContext,
  work: Work,
  document: DocumentRow,
): Promise<DocumentError | undefined> {
  const steps = await listSteps(work.tx, document.id);
  const open = steps.filter(isOpen);
  if (document.cancelRequestedAt) {
    if (open.length === 0) await endDocument(work, document, document.error ? 'failed' : 'cancelled');
    return undefined;
  }
  const sections = steps.filter(({ phase }) => phase === null);
  const waiting = sections
    .filter(isPending)
    .sort((a, b) => a.tries - b.tries || a.position - b.position)
    .slice(0, Math.max(0, document.atOnce - open.length));
  let running = open.length;
  for (const step of waiting) {
    const refused = await queueStep(context, work, document, step);
    if (refused) return running > 0 ? undefined : refused;
    running += 1;
  }
  if (running > 0) return undefined;

  const phases = steps.filter(({ phase }) => phase !== null);
  const failed = phases.find(({ status }) => status === 'failed');
  if (failed) {
    await endDocument(work, document, 'failed', failed.error);
    return undefined;
  }
  const next = phases.find(isPending);
  if (!next) {
    const isWhole = phases.every(({ status }) => status === 'done');
    await endDocument(work, document, isWhole ? 'completed' : 'cancelled');
    return undefined;
  }
  if (sections.some(({ status }) => status === 'done')) return queueStep(context, work, document, next);
  await endDocument(work, document, 'failed', nothingAnalysed(sections));
  return undefined;
}

/** Where no section came through, the first one's fault is everybody's. */
function nothingAnalysed(sections: readonly StepRow[]): DocumentError {
  const error = sections.find((section) => section.error)?.error;
  return {
    code: error?.code ?? 'internal',
    message: `No section could be analysed. ${error?.message ?? ''}`.trim(),
  };
}

/**
 * Makes a run of a step, a generation that goes on from what the step has written, and reserves its first call.
 *
 * @returns why it could not: the budget is used up
 */
async function queueStep(
  context: ServiceContext,
  work: Work,
  document: DocumentRow,
  step: StepRow,
): Promise<DocumentError | undefined> {
  const { position, phase } = step;
  const { userId, model, provider } = document;
  const written = phase === null ? (await findSection(work.tx, document.id, position))?.text : undefined;
  const reserved = await reserveRun(context, work, document, step).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'budget_exceeded') return error;
    throw error;
  });
  if (reserved instanceof AppError) return { code: reserved.code, message: reserved.message };
  const row = newGeneration({
    createdAt: await transactionTime(work.tx),
    id: uuidv7(),
    documentId: document.id,
    sectionIndex: phase === null ? position : null,
    phase,
    messageId: step.messageId,
    userId,
    status: 'queued',
    model,
    provider,
    ...reserved,
    content: written ? [{ type: 'text', text: written }] : [],
    priority: document.options.priority ?? 5,
    queuedAt: new Date(),
    traceparent: currentTraceparent(),
  });
  await writeTogether(work.tx, [generationWrite(row)]);
  await updateSteps(work.tx, document.id, position, {
    status: 'queued',
    generationId: row.id,
    startedAt: null,
    error: null,
  });
  await work.enqueue(row, { delayMs: retryDelaysMs[Math.min(step.tries, retryDelaysMs.length - 1)] });
  return undefined;
}

async function endDocument(
  work: Work,
  document: DocumentRow,
  status: 'completed' | 'cancelled' | 'failed',
  error: DocumentError | null = document.error,
): Promise<void> {
  const ended = await updateDocument(work.tx, document.id, {
    status,
    error: status === 'failed' ? error : null,
    cancelRequestedAt: null,
    endedAt: new Date(),
  });
  work.tell(documentRoom(document.id), `document.${status}`, {
    document: await readDocumentHead(work.tx, ended),
  });
  work.notify({
    userId: document.userId,
    type: `document.${status}`,
    conversationId: null,
    documentId: document.id,
    data: async (tx) => {
      const whole = await readDocument(tx, document.id);
      return whole && { document: whole };
    },
  });
}
