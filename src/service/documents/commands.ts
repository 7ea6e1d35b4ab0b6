import { isNotNull, ne } from 'drizzle-orm';
import type { User } from '../../domain/conversation.js';
import { hasDocumentEnded, type Document } from '../../domain/document.js';
import { documentPhases } from '../../domain/document-phase.js';
import { AppError, noSuch, queueFull } from '../../domain/errors.js';
import type { GenerationOptions } from '../../domain/generation.js';
import { attachFile } from '../../store/document-files.js';
import { detachDocument } from '../../store/conversations.js';
import {
  deleteDocument as deleteRow,
  findSection,
  insertDocument,
  listSteps,
  lockDocument,
  updateDocument,
  updateSteps,
  type DocumentRow,
  type StepRow,
} from '../../store/documents.js';
import { readDocument, readDocumentHead } from '../../store/document-views.js';
import { listActiveOfDocument, type DocumentGeneration } from '../../store/generations.js';
import { documentSteps } from '../../store/schema/documents.js';
import { documentRoom, isUuid } from '../../wire/room.js';
import { lockBudgetsOf } from '../budget.js';
import { writtenSoFar } from '../cancel.js';
import { uuidv7 } from '../ids.js';
import type { ServiceContext } from '../service-context.js';
import type { Work } from '../work.js';
import { settleRun, stopDocument, stopRun } from './end-run.js';
import { isOpen, promote } from './promote.js';

/** What somebody does with a document. All of them are the owner's alone: to others there is no such document. */

export interface NewDocument {
  owner: User;
  name: string;
  mediaType: string;
  bytes: number;
  sha256: string;
  /** Key of the stored file. */
  fileKey: string;
  sections: readonly { title: string; source: string; tokens: number }[];
  options: GenerationOptions;
}

/** Accepts a document that has been read and stored. @throws AppError unsupported_model, queue_full, budget_exceeded */
export async function acceptDocument(
  context: ServiceContext,
  work: Work,
  { owner, fileKey, sections, options, ...file }: NewDocument,
): Promise<Document> {
  const { tx } = work;
  const { models, limits, queueRoom } = context;
  const model = options.model ?? models.defaultModel;
  const provider = models.resolve(model);
  if (await queueRoom.isFull(tx)) throw queueFull();
  const id = uuidv7();
  const row = await insertDocument(
    tx,
    {
      ...file,
      id,
      userId: owner.id,
      model,
      provider,
      options,
      status: 'queued',
      atOnce: limits.documentSectionsAtOnce,
    },
    sections.map((section) => ({ ...section, messageId: uuidv7() })),
    documentPhases.map((phase) => ({ phase, messageId: uuidv7() })),
  );
  await attachFile(tx, fileKey, id);
  await promoteOrRefuse(context, work, row);
  return viewOf(work, id);
}

/**
 * Stops a document: keeps what is done and what is half written. It is over when the last running section has ended.
 *
 * @throws AppError not_found, document_ended
 */
export async function cancelDocument(
  context: ServiceContext,
  work: Work,
  id: string,
  userId: string,
): Promise<Document> {
  const row = await lockOwn(work, id, userId);
  if (hasDocumentEnded(row.status))
    throw new AppError('document_ended', `The document has ended: ${row.status}.`);
  if (!row.cancelRequestedAt) await promote(context, work, await stopDocument(context, work, row, null));
  return viewOf(work, id);
}

/**
 * Runs what is missing.
 *
 * @throws AppError not_found, document_running, document_ended (nothing is missing), budget_exceeded
 */
export async function resumeDocument(
  context: ServiceContext,
  work: Work,
  id: string,
  userId: string,
): Promise<Document> {
  const { tx } = work;
  const row = await lockOwn(work, id, userId);
  if (!hasDocumentEnded(row.status) && !row.cancelRequestedAt)
    throw new AppError('document_running', `The document is ${row.status}.`);
  const steps = await listSteps(tx, id);
  const missing = steps.filter(({ status }) => status !== 'done');
  if (missing.length === 0) throw new AppError('document_ended', 'Nothing of the document is missing.');
  for (const step of missing.filter(isRefused)) await updateSteps(tx, id, step.position, { text: '' });
  await updateSteps(tx, id, ne(documentSteps.status, 'done'), anew);
  if (missing.some(({ phase }) => phase === null)) await restartPhases(context, work, id);
  await restart(context, work, row);
  return viewOf(work, id);
}

/**
 * Runs one section again that has failed or was cancelled; then the phases, unless the document was cancelled.
 *
 * @throws AppError not_found, document_running (it runs, or will), document_ended (it is done), budget_exceeded
 */
export async function retrySection(
  context: ServiceContext,
  work: Work,
  id: string,
  index: number,
  userId: string,
): Promise<Document> {
  const { tx } = work;
  const row = await lockOwn(work, id, userId);
  const section = await findSection(tx, id, index);
  if (!section) throw noSuch('section');
  switch (section.status) {
    case 'pending':
    case 'queued':
    case 'running':
      throw new AppError('document_running', 'The section is being analysed, or will be.');
    case 'done':
      throw new AppError('document_ended', 'The section is done.');
    case 'failed':
    case 'cancelled':
  }
  if (row.cancelRequestedAt) throw new AppError('document_running', 'The document is being stopped.');
  await updateSteps(tx, id, index, { ...anew, ...(isRefused(section) && { text: '' }) });
  if (row.status !== 'cancelled') await restartPhases(context, work, id);
  await restart(context, work, row);
  return viewOf(work, id);
}

/** Deletes a document with all that belongs to it; what runs is stopped. Its file goes by the sweep. */
export async function deleteDocument(
  context: ServiceContext,
  work: Work,
  id: string,
  userId: string,
): Promise<void> {
  const { tx } = work;
  const row = await lockOwn(work, id, userId);
  // Before the budgets: the deletion would lock them behind.
  await detachDocument(tx, id);
  const runs = await listActiveOfDocument(tx, id);
  await lockBudgetsOf(tx, runs);
  for (const run of runs) await dropRun(context, work, run);
  const document = await readDocumentHead(tx, row);
  await deleteRow(tx, id);
  work.tell(documentRoom(id), 'document.deleted', { document });
}

/** Phases speak of all sections: when one of these is run again, so are they. */
async function restartPhases(context: ServiceContext, work: Work, id: string): Promise<void> {
  const { tx } = work;
  const steps = await listSteps(tx, id);
  const running = steps.find((step) => step.phase !== null && isOpen(step))?.generationId;
  await updateSteps(tx, id, isNotNull(documentSteps.phase), anew);
  for (const run of await listActiveOfDocument(tx, id))
    if (run.id === running) await stopRun(context, work, run);
}

/** A refused answer is no beginning of another. */
const isRefused = ({ error }: Pick<StepRow, 'error'>) => error?.code === 'provider_refused';

/** Of a step that is to be run: a run that is under way ends for itself alone, since no step names it any more. */
const anew = { status: 'pending', tries: 0, error: null, generationId: null } as const;

async function restart(context: ServiceContext, work: Work, row: DocumentRow): Promise<void> {
  const runs = row.status === 'running' && !row.cancelRequestedAt;
  const document = await updateDocument(work.tx, row.id, {
    status: runs ? 'running' : 'queued',
    error: null,
    cancelRequestedAt: null,
    endedAt: null,
  });
  await promoteOrRefuse(context, work, document);
}

/** @throws AppError budget_exceeded: nothing of it could begin */
async function promoteOrRefuse(context: ServiceContext, work: Work, row: DocumentRow): Promise<void> {
  const refused = await promote(context, work, row);
  if (refused) throw new AppError('budget_exceeded', refused.message);
}

/** Ends a run without keeping what it wrote, though it is paid for; its worker finds itself fenced. */
async function dropRun(context: ServiceContext, work: Work, run: DocumentGeneration): Promise<void> {
  const { usage, lost } = await writtenSoFar(context, run);
  await settleRun(context, work, run, {
    status: 'cancelled',
    stopReason: 'cancelled',
    content: [],
    usage,
    lost,
  });
  work.signal(run);
}

async function lockOwn({ tx }: Work, id: string, userId: string): Promise<DocumentRow> {
  const row = isUuid(id) ? await lockDocument(tx, id) : undefined;
  if (row?.userId !== userId) throw noSuch('document');
  return row;
}

async function viewOf({ tx }: Work, id: string): Promise<Document> {
  const document = await readDocument(tx, id);
  if (!document) throw new Error(`document ${id} has vanished under its lock`);
  return document;
}
