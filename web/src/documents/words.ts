import type { DocumentHead, DocumentPhase } from '../../../src/client/index.js';
import { clockTime, counted, dayLabel, shortTime, sumUsd } from '../lib/format.js';

/** What the page says about documents: every state of the line in words. */

const kinds: Record<string, string> = {
  'application/pdf': 'PDF',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'DOCX',
  'text/html': 'HTML',
  'text/markdown': 'Markdown',
  'text/plain': 'Text',
};

/** `PDF, 2.3 MB`. */
export const kindAndSize = ({ mediaType, bytes }: DocumentHead): string =>
  `${kinds[mediaType] ?? 'File'}, ${fileSize(bytes)}`;

/** `812 B`, `64 KB`, `2.3 MB`. */
export function fileSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const kilobytes = bytes / 1024;
  return kilobytes < 1000 ? `${Math.round(kilobytes)} KB` : `${(kilobytes / 1024).toFixed(1)} MB`;
}

/** `2.6 of 4.1 MB`, `12 of 64 KB`: both in the unit of the whole. */
export function sizeOfSize(sentBytes: number, totalBytes: number): string {
  const total = fileSize(totalBytes);
  const [, unit = 'B'] = total.split(' ');
  const sent =
    unit === 'MB'
      ? (sentBytes / 1024 / 1024).toFixed(1)
      : Math.round(unit === 'KB' ? sentBytes / 1024 : sentBytes);
  return `${sent} of ${total}`;
}

/** `1 min 40 s`, `40 s`, `12 min`: how long it still takes, as exactly as that can be reckoned. */
export function remaining(ms: number): string {
  const whole = Math.max(1, Math.round(ms / 1000));
  if (whole < 60) return `${whole} s`;
  const tens = Math.round(whole / 10) * 10;
  const minutes = Math.floor(tens / 60);
  if (minutes < 10) return tens % 60 === 0 ? `${minutes} min` : `${minutes} min ${tens % 60} s`;
  if (minutes < 60) return `${Math.round(whole / 60)} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const weekday = new Intl.DateTimeFormat('en-GB', { weekday: 'long' });

/** `11:20`, `yesterday`, `Monday`, `14 Nov`. */
function dayWord(iso: string, now: Date = new Date()): string {
  switch (dayLabel(iso, now)) {
    case 'Today':
      return clockTime(iso);
    case 'Yesterday':
      return 'yesterday';
    case 'Last week':
      return weekday.format(new Date(iso));
    default:
      return shortTime(iso, now);
  }
}

export const failedSections = ({ sections }: DocumentHead): number =>
  sections.filter(({ status }) => status === 'failed').length;

/** How a document of the list stands. */
export function standing(document: DocumentHead): string {
  const { status, progress, costUsd, error, endedAt, createdAt } = document;
  const { sectionsDone, sectionsTotal } = progress;
  switch (status) {
    case 'queued':
      return 'Queued';
    case 'running':
      return document.phase === null
        ? `${sectionsDone} of ${sectionsTotal} done`
        : phaseWords[document.phase];
    case 'cancelled':
      return `Stopped after ${sectionsDone} of ${counted(sectionsTotal, 'section')}`;
    case 'failed':
      return error?.message ?? 'The analysis failed.';
    case 'completed': {
      const failed = failedSections(document);
      if (failed > 0) return `${failed} of ${counted(sectionsTotal, 'section')} failed`;
      return [counted(sectionsTotal, 'section'), sumUsd(costUsd), dayWord(endedAt ?? createdAt)].join(', ');
    }
  }
}

/** What is being done, of an open document. */
export function sentence(document: DocumentHead, stopping: boolean): string {
  const { status, phase, progress, sections } = document;
  const failed = failedSections(document);
  const alsoFailed = failed > 0 ? `, ${failed} failed` : '';
  if (stopping) return 'Stopping. What is written is kept.';
  switch (status) {
    case 'queued':
      return 'Queued';
    case 'running': {
      if (phase !== null)
        return `${phaseWords[phase]}${failed > 0 ? `, ${counted(failed, 'section')} failed` : ''}`;
      const running = sections.filter((section) => section.status === 'running').length;
      return `Reading sections: ${progress.sectionsDone} done, ${running} running${alsoFailed}`;
    }
    case 'completed':
      return `${progress.sectionsDone} of ${counted(progress.sectionsTotal, 'section')} done${alsoFailed}`;
    case 'cancelled':
    case 'failed':
      return standing(document);
  }
}

const phaseWords: Record<DocumentPhase, string> = {
  summary: 'Writing the summary',
  keyPoints: 'Writing the key points',
  entities: 'Listing the entities',
  recommendations: 'Writing the recommendations',
};

export const phaseNames: Record<DocumentPhase, string> = {
  summary: 'Summary',
  keyPoints: 'Key points',
  entities: 'Entities',
  recommendations: 'Recommendations',
};
