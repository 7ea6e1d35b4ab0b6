import type { DocumentHead } from '../../../src/client/index.js';

/** How far the documents are that run, each as much as it has sections; null: none does. */
export function documentsPercent(documents: readonly DocumentHead[] | null): number | null {
  const running = (documents ?? []).filter(({ status }) => status === 'running');
  const sections = running.reduce((sum, { progress }) => sum + progress.sectionsTotal, 0);
  if (sections === 0) return null;
  const done = running.reduce((sum, { progress }) => sum + progress.percent * progress.sectionsTotal, 0);
  return Math.floor(done / sections);
}
