import { AppError } from '../domain/errors.js';
import type { Generation } from '../domain/generation.js';
import { contentSoFar } from '../service/cancel.js';
import type { ServiceContext } from '../service/service-context.js';
import { findRole } from '../store/members.js';
import { findDocumentOf } from '../store/documents.js';
import { findGeneration, toGeneration, type GenerationRow } from '../store/generations.js';

async function mayRead(
  { db }: ServiceContext,
  { conversationId, documentId }: GenerationRow,
  userId: string,
): Promise<boolean> {
  if (conversationId !== null) return (await findRole(db, conversationId, userId)) !== undefined;
  return documentId !== null && (await findDocumentOf(db, documentId, userId)) !== undefined;
}

/** @throws AppError not_found, also for who may not know of it */
async function findReadable(
  context: ServiceContext,
  generationId: string,
  userId: string,
): Promise<GenerationRow> {
  const row = await findGeneration(context.db, generationId);
  if (!row || !(await mayRead(context, row, userId)))
    throw new AppError('not_found', 'There is no such generation.');
  return row;
}

/** A generation with what it has written so far. @throws AppError not_found */
export async function readGeneration(
  context: ServiceContext,
  generationId: string,
  userId: string,
): Promise<Generation> {
  const row = await findReadable(context, generationId, userId);
  return toGeneration(row, await contentSoFar(context, row));
}

/**
 * Deletes the answer that the cache has of a generation, made by it or given to it; one that runs leaves none there.
 *
 * @throws AppError not_found; forbidden: somebody else has asked
 */
export async function forgetCachedAnswer(
  context: ServiceContext,
  generationId: string,
  userId: string,
): Promise<void> {
  const row = await findReadable(context, generationId, userId);
  if (row.userId !== userId)
    throw new AppError('forbidden', 'Only who has asked may delete the cached answer.');
  await context.answerCache.forget(row.id);
}
