import type { CitedText } from '../../domain/document.js';
import type { DocumentPhase } from '../../domain/document-phase.js';
import {
  findSection,
  listSteps,
  listStepsWithTexts,
  updateDocument,
  updateSteps,
  type DocumentRow,
  type StepRow,
} from '../../store/documents.js';
import { readDocumentHead, resultOf } from '../../store/document-views.js';
import { documentRoom } from '../../wire/room.js';
import type { DocumentGeneration } from '../../store/generations.js';
import type { Work } from '../work.js';
import { tellStep } from './tell-step.js';

/** What a run is about: all that its model call is made of. */
export type DocumentTask = SectionTask | PhaseTask;

export interface SectionTask {
  kind: 'section';
  documentName: string;
  /** The titles of all sections, in order. */
  titles: string[];
  index: number;
  source: string;
}

export interface PhaseTask {
  kind: 'phase';
  documentName: string;
  phase: DocumentPhase;
  /** Those that have been analysed, in order. */
  analyses: { index: number; title: string; text: string }[];
  summary: string | null;
  keyPoints: CitedText[];
}

/**
 * Notes that a run has begun, tells the room, and answers what it is about; undefined: the step is another run's by now.
 * The document is locked.
 */
export async function beginRun(
  work: Work,
  row: DocumentRow,
  generation: DocumentGeneration,
): Promise<DocumentTask | undefined> {
  const { tx } = work;
  const steps = await listSteps(tx, row.id);
  const step = steps.find(({ generationId }) => generationId === generation.id);
  if (!step) return undefined;
  // A run that is taken over had begun before.
  if (step.status !== 'running') {
    await updateSteps(tx, row.id, step.position, { status: 'running', startedAt: new Date() });
    const isFirst = row.status === 'queued';
    const document = isFirst ? await updateDocument(tx, row.id, { status: 'running' }) : row;
    if (isFirst)
      work.tell(documentRoom(row.id), 'document.started', { document: await readDocumentHead(tx, document) });
    await tellStep(work, document, step, 'running');
  }
  return step.phase === null ? sectionTask(work, row, steps, step) : phaseTask(work, row, step.phase);
}

async function sectionTask(
  { tx }: Work,
  { id, name }: DocumentRow,
  steps: readonly StepRow[],
  { position }: StepRow,
): Promise<SectionTask> {
  const section = await findSection(tx, id, position);
  const titles = steps.filter(({ phase }) => phase === null).map(({ title }) => title);
  return { kind: 'section', documentName: name, titles, index: position, source: section?.source ?? '' };
}

async function phaseTask({ tx }: Work, { id, name }: DocumentRow, phase: DocumentPhase): Promise<PhaseTask> {
  const steps = await listStepsWithTexts(tx, id);
  const done = steps.filter(({ status }) => status === 'done');
  const { summary, keyPoints } = resultOf(done);
  return {
    kind: 'phase',
    documentName: name,
    phase,
    analyses: done
      .filter((step) => step.phase === null)
      .map(({ position, title, text }) => ({ index: position, title, text })),
    summary,
    keyPoints,
  };
}
