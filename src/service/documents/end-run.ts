import { eq } from 'drizzle-orm';
import { textOf } from '../../domain/content.js';
import type { DocumentError, DocumentResult, StepStatus } from '../../domain/document.js';
import { readPhase } from '../../domain/document-phases.js';
import type { GenerationError } from '../../domain/generation.js';
import {
  findDocument,
  listSteps,
  updateDocument,
  updateSteps,
  type DocumentRow,
  type StepRow,
} from '../../store/documents.js';
import {
  listActiveOfDocument,
  toGeneration,
  updateGeneration,
  type DocumentGeneration,
} from '../../store/generations.js';
import { documentSteps } from '../../store/schema/documents.js';
import { documentRoom } from '../../wire/room.js';
import { lockBudgetsOf } from '../budget.js';
import type { ServiceContext } from '../service-context.js';
import { storeEnd, terminalEvent, type Outcome } from '../store-end.js';
import type { Work } from '../work.js';
import { faultOf } from './fault-of-run.js';
import { isOpen, promote } from './promote.js';
import { tellStep } from './tell-step.js';

/** Runs of a step that may fail before it has failed for good. */
const maxTries = 3;

/** After these another run would end the same way. `worker_lost`: it may be what kills workers. */
const isFinal = (code: string) => code === 'provider_refused' || code === 'worker_lost' || isFatal(code);

/** What is missing for one section is missing for all. */
const isFatal = (code: string) => code === 'provider_auth' || code === 'budget_exceeded';

/**
 * Ends a run of a section or phase in the caller's transaction, which has locked its document: stores what was written,
 * tells the room, and lets the next one go.
 *
 * Invariant: a step is changed only by the end of the run that it names.
 */
export async function endRun(
  context: ServiceContext,
  work: Work,
  row: DocumentGeneration,
  outcome: Outcome,
): Promise<DocumentGeneration> {
  const { ended, document, fatal } = await settleRun(context, work, row, outcome);
  if (!document) return ended;
  const broke = await promote(
    context,
    work,
    fatal ? await stopDocument(context, work, document, fatal) : document,
  );
  // Nothing runs that could give back what it has reserved.
  if (broke) await promote(context, work, await stopDocument(context, work, document, broke));
  return ended;
}

/**
 * Lets nothing more begin in a document, and ends or signals what has: it is over once nothing runs any more, as
 * `promote` finds, which the caller calls next.
 *
 * @param error why it fails; null: somebody wants it to stop
 */
export async function stopDocument(
  context: ServiceContext,
  work: Work,
  { id }: DocumentRow,
  error: DocumentError | null,
): Promise<DocumentRow> {
  const { tx } = work;
  const document = await updateDocument(tx, id, { error, cancelRequestedAt: new Date() });
  await updateSteps(tx, id, eq(documentSteps.status, 'pending'), { status: 'cancelled' });
  const runs = await listActiveOfDocument(tx, id);
  await lockBudgetsOf(tx, runs);
  for (const run of runs) await stopRun(context, work, run);
  return document;
}

/** Stops one run, and lets nothing go in its place: one that a worker has ends there, with the text that it has. */
export async function stopRun(context: ServiceContext, work: Work, run: DocumentGeneration): Promise<void> {
  if (run.status !== 'running') {
    const { content, usage } = run;
    const stopReason = 'cancelled';
    await settleRun(context, work, run, { status: 'cancelled', stopReason, content, usage });
  } else
    await updateGeneration(work.tx, run.id, {
      cancelRequestedAt: run.cancelRequestedAt ?? new Date(),
      cancelReason: run.cancelReason ?? 'cancelled',
    });
  work.signal(run);
}

interface Settled {
  ended: DocumentGeneration;
  /** Where the run was a step's: its document as it is now. */
  document?: DocumentRow;
  /** What keeps all of the document from going on. */
  fatal?: DocumentError;
}

/** Ends a run, and lets nothing go in its place. */
export async function settleRun(
  context: ServiceContext,
  work: Work,
  row: DocumentGeneration,
  outcome: Outcome,
): Promise<Settled> {
  const { tx } = work;
  const ended = await storeEnd(context, work, row, outcome);
  work.tell(
    documentRoom(row.documentId),
    terminalEvent[outcome.status],
    { generationId: row.id, generation: toGeneration(ended), message: null },
    row.id,
  );
  const document = await findDocument(tx, row.documentId);
  const steps = await listSteps(tx, row.documentId);
  const step = steps.find(({ generationId }) => generationId === row.id);
  if (!document || !step) return { ended };
  const result = resultOf(document, steps, step, ended);
  await updateSteps(tx, document.id, step.position, result);
  await tellStep(work, document, step, result.status);
  const fatal = !document.cancelRequestedAt && result.error && isFatal(result.error.code) && result.error;
  return { ended, document, ...(fatal && { fatal }) };
}

interface StepResult {
  status: Exclude<StepStatus, 'queued' | 'running'>;
  text: string;
  error: DocumentError | null;
  tries?: number;
  value?: Partial<DocumentResult> | null;
  durationMs?: number;
}

function resultOf(
  document: DocumentRow,
  steps: readonly StepRow[],
  { phase, tries, startedAt }: StepRow,
  { id, status, content, error }: DocumentGeneration,
): StepResult {
  const text = textOf(content);
  if (status === 'cancelled') return { status, text, error: null };
  // The worker has looked, too; what it was told to read may have changed meanwhile.
  const fault = status === 'completed' ? faultOf(phase, text, analysedIn(steps)) : faultIn(error);
  if (!fault) {
    const durationMs = startedAt ? Date.now() - startedAt.getTime() : 0;
    const value = phase === null ? null : { [phase]: readPhase(phase, text, analysedIn(steps)) };
    return { status: 'done', text, error: null, tries: 0, durationMs, value };
  }
  const others = steps.some((step) => step.generationId !== id && isOpen(step));
  // What they have reserved comes back when they end.
  if (fault.code === 'budget_exceeded' && others) return { status: 'pending', text, error: null };
  const failures = tries + 1;
  if (failures >= maxTries || isFinal(fault.code) || document.cancelRequestedAt)
    return { status: 'failed', text, error: fault, tries: failures };
  // A section goes on from what it has; an answer that must be valid as a whole starts over.
  return { status: 'pending', text: phase === null ? text : '', error: null, tries: failures };
}

const faultIn = (error: GenerationError | null): DocumentError =>
  error ? { code: error.code, message: error.message } : { code: 'internal', message: 'It failed.' };

/** The indexes of the sections that have been analysed. */
const analysedIn = (steps: readonly StepRow[]): ReadonlySet<number> =>
  new Set(
    steps.filter((step) => step.phase === null && step.status === 'done').map(({ position }) => position),
  );
