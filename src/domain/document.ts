import type { DocumentPhase } from './document-phase.js';
import type { Usage } from './generation.js';

export const documentStatuses = ['queued', 'running', 'completed', 'cancelled', 'failed'] as const;
export type DocumentStatus = (typeof documentStatuses)[number];

export function hasDocumentEnded(status: DocumentStatus): boolean {
  return status === 'completed' || status === 'cancelled' || status === 'failed';
}

/** Of a section or phase: `queued` is known to the server alone. */
export type StepStatus = 'pending' | 'queued' | 'running' | 'done' | 'cancelled' | 'failed';
export type SectionStatus = Exclude<StepStatus, 'queued'>;

export interface DocumentError {
  code: string;
  message: string;
}

/** A section without its texts. */
export interface SectionHead {
  /** From 0. */
  index: number;
  title: string;
  status: SectionStatus;
  error: DocumentError | null;
}

export interface Section extends SectionHead {
  /** Its analysis, as far as it is written; not the source. */
  text: string;
}

export interface CitedText {
  text: string;
  /** Indexes of the sections that say so. */
  sections: number[];
}

export interface Entity {
  name: string;
  type: string;
  /** Indexes of the sections where it occurs. */
  sections: number[];
}

/** What there is of it; null or empty: not yet. */
export interface DocumentResult {
  summary: string | null;
  keyPoints: CitedText[];
  entities: Entity[];
  recommendations: CitedText[];
}

export interface DocumentProgress {
  sectionsDone: number;
  sectionsTotal: number;
  /** 100 only when it is completed. */
  percent: number;
  /** Null while nothing is known to reckon by, and when nothing runs. */
  remainingMs: number | null;
}

/** A document without texts: what lists and events carry. */
export interface DocumentHead {
  id: string;
  name: string;
  mediaType: string;
  bytes: number;
  status: DocumentStatus;
  /** The phase that runs or comes next; null while sections do, and when it is over. */
  phase: DocumentPhase | null;
  progress: DocumentProgress;
  sections: SectionHead[];
  /** Of all runs so far. */
  usage: Usage;
  costUsd: number;
  error: DocumentError | null;
  createdAt: string;
  endedAt: string | null;
}

export interface Document extends Omit<DocumentHead, 'sections'> {
  sections: Section[];
  result: DocumentResult;
}

/** One section with what was analysed. */
export interface SectionWithSource extends Section {
  source: string;
}
