import { modelInfo } from '../../domain/models.js';
import type { Executor } from '../../store/database.js';
import { findDocument, listSources, listStepsWithTexts, rankSections } from '../../store/documents.js';
import { resultOf } from '../../store/document-views.js';

/** What a question about a document is asked with. */
export interface DocumentContext {
  name: string;
  /** The titles of all sections, in order. */
  titles: string[];
  /** Null: there is none yet. */
  summary: string | null;
  /** All of them, or those that have most to do with the question, in order. */
  sections: { index: number; title: string; source: string }[];
}

/** So much of a document is sent with every question, in tokens, and at most this share of what the model reads. */
const mostTokens = 60_000;
const shareOfContext = 0.5;

/** How many tokens of a document may go with a question to this model. */
export const contextTokensFor = (model: string): number =>
  Math.floor(Math.min(mostTokens, modelInfo(model).contextTokens * shareOfContext));

/**
 * The document as far as the model may read it: all of it where it fits, else the sections that have most to do with
 * the question. Undefined: it was deleted.
 */
export async function readDocumentContext(
  db: Executor,
  documentId: string,
  model: string,
  question: string,
): Promise<DocumentContext | undefined> {
  const document = await findDocument(db, documentId);
  if (!document) return undefined;
  const steps = await listStepsWithTexts(db, documentId);
  const ranked = await rankSections(db, documentId, question);
  let left = contextTokensFor(model);
  const chosen = ranked.filter(({ tokens }) => {
    const fits = tokens <= left;
    if (fits) left -= tokens;
    return fits;
  });
  return {
    name: document.name,
    titles: steps.filter(({ phase }) => phase === null).map(({ title }) => title),
    summary: resultOf(steps).summary,
    sections: await listSources(
      db,
      documentId,
      chosen.map(({ position }) => position),
    ),
  };
}
