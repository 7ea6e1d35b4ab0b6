import type { DocumentPhase } from '../../../src/client/index.js';

/** What parts of a document are called in the page, and behind its address; from 1, as people count. */
export const sectionId = (index: number): string => `section-${index + 1}`;
export const phaseId = (phase: DocumentPhase): string => `phase-${phase}`;

/** The section that an address names; null: it names none. */
export function sectionOfHash(hash: string, total: number): number | null {
  const number = Number(/^#section-(\d{1,6})$/.exec(hash)?.[1] ?? 0);
  return number >= 1 && number <= total ? number - 1 : null;
}
