import {
  documentPhases,
  sectionText,
  textOf,
  type DocumentPhase,
  type DocumentResult,
  type DocumentState,
  type LiveRun,
  type SectionStatus,
} from '../../../src/client/index.js';

/** A phase, as far as its state can be told. */
export interface PhaseStep {
  phase: DocumentPhase;
  status: SectionStatus;
  /** The run that writes it now. */
  run: LiveRun | null;
}

/** How the phases stand: they follow each other, so that one tells of those before and after it. */
export function phaseSteps({ document, runs }: DocumentState): PhaseStep[] {
  const { status, result } = document;
  const runOf = (phase: DocumentPhase) => runs.findLast((run) => run.phase === phase) ?? null;
  const current = documentPhases.find((phase) => runOf(phase)) ?? document.phase;
  const at = current === null ? -1 : documentPhases.indexOf(current);
  // The last that has a value: those before it have been written, though they may have come to nothing.
  const written = documentPhases.findLastIndex((phase) => hasValue(result, phase));
  return documentPhases.map((phase, index) => {
    const run = runOf(phase);
    const stepStatus = (): SectionStatus => {
      if (status === 'completed') return 'done';
      if (status === 'queued' || status === 'running') {
        if (at < 0 || index > at) return 'pending';
        return index < at ? 'done' : 'running';
      }
      if (index <= written) return 'done';
      const isNext = index === written + 1;
      if (status === 'failed' && isNext && document.sections.some((section) => section.status === 'done'))
        return 'failed';
      return 'cancelled';
    };
    return { phase, status: stepStatus(), run };
  });
}

export const hasValue = (result: DocumentResult, phase: DocumentPhase): boolean =>
  (result[phase]?.length ?? 0) > 0;

/** Until one section is done, nobody knows how long they become: about as long as they are asked to be. */
const usualLength = 700;
const mostOfRunning = 90;

/** How far a section is that is being written, in percent: as long as its text is beside those that are done. */
export function sectionPercents(state: DocumentState): (number | null)[] {
  const { sections } = state.document;
  const done = sections.filter(({ status, text }) => status === 'done' && text !== '');
  const whole =
    done.length > 0 ? done.reduce((sum, { text }) => sum + text.length, 0) / done.length : usualLength;
  return sections.map(({ index, status }) =>
    status === 'running'
      ? Math.min(mostOfRunning, Math.round((100 * sectionText(state, index).length) / whole))
      : null,
  );
}

/** What a run has written so far. */
export const writtenBy = (run: LiveRun | null): string => (run ? textOf([...run.content]) : '');
