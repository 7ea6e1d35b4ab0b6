import type { DocumentProgress, DocumentStatus, StepStatus } from './document.js';

/** What is known of a section or phase for reckoning. */
export interface StepFigures {
  isPhase: boolean;
  status: StepStatus;
  /** When its run began; null: none has. */
  startedAt: Date | null;
  /** How long its last run took that ended well. */
  durationMs: number | null;
}

interface ProgressInput {
  status: DocumentStatus;
  steps: readonly StepFigures[];
  /** Sections of the document that may run at once. */
  atOnce: number;
  now: Date;
}

/** A phase reads and writes more than a section: until one has been measured, it counts as so many. */
const sectionsPerPhase = 2;

/**
 * How far a document is. `percent` counts what is done or has failed for good, a phase as two sections. `remainingMs` is reckoned from how
 * long this document's own sections and phases took, and null until one has ended.
 */
export function documentProgress({ status, steps, atOnce, now }: ProgressInput): DocumentProgress {
  const sections = steps.filter(({ isPhase }) => !isPhase);
  const phases = steps.filter(({ isPhase }) => isPhase);
  const weight = (some: readonly StepFigures[]) =>
    some.reduce((sum, { isPhase }) => sum + (isPhase ? sectionsPerPhase : 1), 0);
  const total = weight(steps);
  const tried = steps.filter((step) => step.status === 'done' || step.status === 'failed');
  const percent = total === 0 ? 0 : Math.floor((100 * weight(tried)) / total);
  return {
    sectionsDone: sections.filter((step) => step.status === 'done').length,
    sectionsTotal: sections.length,
    percent: status === 'completed' ? 100 : Math.min(percent, 99),
    remainingMs:
      status === 'queued' || status === 'running' ? remainingMs(sections, phases, atOnce, now) : null,
  };
}

const isSettled = ({ status }: StepFigures) =>
  status === 'done' || status === 'failed' || status === 'cancelled';

function remainingMs(
  sections: readonly StepFigures[],
  phases: readonly StepFigures[],
  atOnce: number,
  now: Date,
): number | null {
  const sectionMs = meanDuration(sections);
  const phaseMs = meanDuration(phases) ?? (sectionMs === null ? null : sectionMs * sectionsPerPhase);
  const open = (some: readonly StepFigures[]) => some.filter((step) => !isSettled(step));
  if (phaseMs === null) return null;
  const left = (step: StepFigures, meanMs: number) => {
    const elapsedMs =
      step.status === 'running' && step.startedAt ? now.getTime() - step.startedAt.getTime() : 0;
    // One that takes longer than the others is nearly done for all that is known.
    return Math.max(meanMs - elapsedMs, meanMs / 10);
  };
  const openSections = open(sections);
  const sectionsMs = openSections.reduce((sum, step) => sum + left(step, sectionMs ?? phaseMs), 0);
  const phasesMs = open(phases).reduce((sum, step) => sum + left(step, phaseMs), 0);
  return Math.round(sectionsMs / Math.max(1, Math.min(atOnce, openSections.length)) + phasesMs);
}

function meanDuration(steps: readonly StepFigures[]): number | null {
  const known = steps.flatMap(({ durationMs }) => (durationMs === null ? [] : [durationMs]));
  return known.length === 0 ? null : known.reduce((sum, ms) => sum + ms, 0) / known.length;
}
