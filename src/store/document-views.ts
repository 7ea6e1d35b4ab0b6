import {
  hasDocumentEnded,
  type Document,
  type DocumentHead,
  type DocumentResult,
  type Section,
  type SectionHead,
} from '../domain/document.js';
import { documentProgress } from '../domain/document-progress.js';
import type { Usage } from '../domain/generation.js';
import type { Executor } from './database.js';
import {
  findDocument,
  listDocuments,
  listSteps,
  listStepsWithTexts,
  sumUsage,
  type DocumentRow,
  type StepRow,
  type StepWithTexts,
} from './documents.js';

/** Documents as people see them: made of the document, its steps, and what its runs have used. */

interface Spent {
  usage: Usage;
  costUsd: number;
}

const nothing: Spent = {
  usage: { inputTokens: 0, outputTokens: 0, cacheReadInputTokens: 0, cacheCreationInputTokens: 0 },
  costUsd: 0,
};

export function toSectionHead({ position, title, status, error }: StepRow): SectionHead {
  return { index: position, title, status: status === 'queued' ? 'pending' : status, error };
}

function toHead(row: DocumentRow, steps: readonly StepRow[], { usage, costUsd }: Spent): DocumentHead {
  const { id, name, mediaType, bytes, status, error, createdAt, endedAt, atOnce } = row;
  const current = steps.find((step) => step.phase !== null && isOpen(step));
  return {
    id,
    name,
    mediaType,
    bytes,
    status,
    phase: hasDocumentEnded(status) ? null : (current?.phase ?? null),
    progress: documentProgress({
      status,
      steps: steps.map((step) => ({ ...step, isPhase: step.phase !== null })),
      atOnce,
      now: new Date(),
    }),
    sections: steps.filter(({ phase }) => phase === null).map(toSectionHead),
    usage,
    costUsd,
    error,
    createdAt: createdAt.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
  };
}

const isOpen = ({ status }: StepRow) => status === 'queued' || status === 'running';

/** The document without texts. */
export async function readDocumentHead(db: Executor, row: DocumentRow): Promise<DocumentHead> {
  const [steps, spent] = [await listSteps(db, row.id), await sumUsage(db, row.id)];
  return toHead(row, steps, spent.get(row.id) ?? nothing);
}

/** The whole document; of what runs, the text that was stored before. */
export async function readDocument(db: Executor, id: string): Promise<Document | undefined> {
  const row = await findDocument(db, id);
  if (!row) return undefined;
  const [steps, spent] = [await listStepsWithTexts(db, id), await sumUsage(db, id)];
  const head = toHead(row, steps, spent.get(id) ?? nothing);
  const sections: Section[] = head.sections.map((section, i) => ({ ...section, text: steps[i]?.text ?? '' }));
  return { ...head, sections, result: resultOf(steps) };
}

/** Those of a user without texts, the newest first; one more than `limit` when there are more. */
export async function listDocumentHeads(
  db: Executor,
  userId: string,
  page: { limit: number; before?: string | undefined },
): Promise<DocumentHead[]> {
  const rows = await listDocuments(db, userId, page);
  const ids = rows.map(({ id }) => id);
  const [steps, spent] = await Promise.all([listSteps(db, ...ids), sumUsage(db, ...ids)]);
  return rows.map((row) =>
    toHead(
      row,
      steps.filter(({ documentId }) => documentId === row.id),
      spent.get(row.id) ?? nothing,
    ),
  );
}

const noResult: DocumentResult = { summary: null, keyPoints: [], entities: [], recommendations: [] };

/** What phases have come to: an earlier value stands until its phase has run again. */
export function resultOf(steps: readonly StepWithTexts[]): DocumentResult {
  return steps.reduce((result, { value }) => ({ ...result, ...value }), noResult);
}
