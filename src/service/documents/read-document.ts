import { textOf } from '../../domain/content.js';
import type { Document, SectionWithSource } from '../../domain/document.js';
import { noSuch } from '../../domain/errors.js';
import { findDocumentOf, findSection } from '../../store/documents.js';
import { readDocument, toSectionHead } from '../../store/document-views.js';
import { findGeneration, listActiveOfDocument } from '../../store/generations.js';
import { isUuid } from '../../wire/room.js';
import { contentSoFar } from '../cancel.js';
import type { ServiceContext } from '../service-context.js';

/** @throws AppError not_found, also where it is somebody else's */
export async function requireOwn({ db }: ServiceContext, id: string, userId: string): Promise<void> {
  if (!isUuid(id) || !(await findDocumentOf(db, id, userId))) throw noSuch('document');
}

/** A document with what there is of its texts, those that are being written included. @throws AppError not_found */
export async function readLiveDocument(
  context: ServiceContext,
  id: string,
  userId: string,
): Promise<Document> {
  await requireOwn(context, id, userId);
  const document = await readDocument(context.db, id);
  if (!document) throw noSuch('document');
  const runs = (await listActiveOfDocument(context.db, id)).filter(({ status }) => status === 'running');
  const texts = new Map<number | null, string>();
  for (const run of runs) texts.set(run.sectionIndex, textOf(await contentSoFar(context, run)));
  const sections = document.sections.map((section) => ({
    ...section,
    text: (section.status === 'running' && texts.get(section.index)) || section.text,
  }));
  return { ...document, sections };
}

/** One section with what it was made from. @throws AppError not_found */
export async function readLiveSection(
  context: ServiceContext,
  id: string,
  index: number,
  userId: string,
): Promise<SectionWithSource> {
  await requireOwn(context, id, userId);
  const row = await findSection(context.db, id, index);
  if (!row) throw noSuch('section');
  const run = row.status === 'running' ? await findGeneration(context.db, row.generationId ?? '') : undefined;
  const text = run ? textOf(await contentSoFar(context, run)) : '';
  return { ...toSectionHead(row), text: text || row.text, source: row.source ?? '' };
}
