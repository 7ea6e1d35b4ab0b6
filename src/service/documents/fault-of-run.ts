import type { DocumentPhase } from '../../domain/document-phase.js';
import { PhaseMismatch, readPhase } from '../../domain/document-phases.js';
import type { GenerationErrorCode } from '../../domain/generation.js';
import type { DocumentTask } from './begin-run.js';

interface Fault {
  code: Extract<GenerationErrorCode, 'provider_error' | 'schema_mismatch'>;
  message: string;
}

/** What is wrong with the finished answer of a run; undefined: nothing. */
export function faultOfRun(task: DocumentTask, text: string): Fault | undefined {
  return task.kind === 'section'
    ? faultOf(null, text, new Set())
    : faultOf(task.phase, text, new Set(task.analyses.map(({ index }) => index)));
}

/**
 * The same of a section (`phase` null) or phase.
 *
 * @param analysed indexes of the sections that a phase may cite
 */
export function faultOf(
  phase: DocumentPhase | null,
  text: string,
  analysed: ReadonlySet<number>,
): Fault | undefined {
  if (text.trim() === '') return { code: 'provider_error', message: 'The model wrote nothing.' };
  if (phase === null) return undefined;
  try {
    readPhase(phase, text, analysed);
    return undefined;
  } catch (error) {
    if (!(error instanceof PhaseMismatch)) throw error;
    return { code: 'schema_mismatch', message: error.message };
  }
}
