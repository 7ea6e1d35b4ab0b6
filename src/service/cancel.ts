import type { ContentBlock } from '../domain/content.js';
import { AppError, noSuch } from '../domain/errors.js';
import { hasEnded, type CancelReason, type Generation } from '../domain/generation.js';
import {
  findGeneration,
  listActiveGenerations,
  lockGeneration,
  toGeneration,
  updateGeneration,
  type GenerationRow,
} from '../store/generations.js';
import { isUuid } from '../wire/room.js';
import { lockWithRight } from './access.js';
import { lockBudgetsOf } from './budget.js';
import { finish } from './finish.js';
import { lockPlace } from './lock-place.js';
import type { ServiceContext } from './service-context.js';
import type { Work } from './work.js';
import { readWritten, storedOf, type Written } from './written.js';

/**
 * Cancels one generation.
 *
 * Invariant: Postgres decides. One that no worker has is ended here; for one that runs the wish is written down, and
 * only its worker ends it, with the text that it has: whatever else it ends with from now on counts as cancelled.
 *
 * @throws AppError not_found, forbidden, generation_ended
 */
export async function cancelGeneration(
  context: ServiceContext,
  work: Work,
  generationId: string,
  userId: string,
): Promise<Generation> {
  const found = isUuid(generationId) ? await findGeneration(work.tx, generationId) : undefined;
  if (!found) throw noSuch('generation');
  await lockPlaceOf(work, found, userId);
  const row = await lockGeneration(work.tx, generationId);
  if (!row) throw noSuch('generation');
  if (hasEnded(row.status))
    throw new AppError('generation_ended', `The generation has ended: ${row.status}.`);
  return cancelLocked(context, work, row, 'cancelled');
}

/** Locks what the generation belongs to, for somebody who may stop it. @throws AppError not_found, forbidden */
async function lockPlaceOf(work: Work, found: GenerationRow, userId: string): Promise<void> {
  const { conversationId } = found;
  if (conversationId !== null) await lockWithRight(work.tx, conversationId, userId, 'write', 'generation');
  else {
    const place = await lockPlace(work.tx, found);
    if (!place || !('document' in place) || place.document.userId !== userId) throw noSuch('generation');
  }
}

/** Cancels all of a conversation that run, queue or wait. */
export async function cancelConversation(
  context: ServiceContext,
  work: Work,
  conversationId: string,
  userId: string,
): Promise<Generation[]> {
  await lockWithRight(work.tx, conversationId, userId, 'write');
  const active = await listActiveGenerations(work.tx, conversationId);
  const cancelled: Generation[] = [];
  await lockBudgetsOf(work.tx, active);
  // Those that wait first: else the end of a queued one would promote them.
  for (const row of active.reverse()) cancelled.unshift(await cancelLocked(context, work, row, 'cancelled'));
  return cancelled;
}

/** Cancels a generation that nobody watches, unless it has ended meanwhile. */
export async function cancelUnwatched(
  context: ServiceContext,
  work: Work,
  generation: Pick<GenerationRow, 'id' | 'conversationId' | 'documentId'>,
): Promise<void> {
  if (!(await lockPlace(work.tx, generation))) return;
  const row = await lockGeneration(work.tx, generation.id);
  if (row && !hasEnded(row.status)) await cancelLocked(context, work, row, 'unwatched');
}

/** Cancels a generation that has not ended; its conversation is locked. */
export async function cancelLocked(
  context: ServiceContext,
  work: Work,
  row: GenerationRow,
  reason: CancelReason,
): Promise<Generation> {
  if (row.status === 'running') {
    const changed = await updateGeneration(work.tx, row.id, {
      cancelRequestedAt: row.cancelRequestedAt ?? new Date(),
      cancelReason: row.cancelReason ?? reason,
    });
    work.signal(changed);
    return toGeneration(changed, await contentSoFar(context, changed));
  }
  const ended = await finish(context, work, row, {
    status: 'cancelled',
    stopReason: reason,
    ...(await writtenSoFar(context, row)),
  });
  work.signal(ended);
  return toGeneration(ended);
}

/** What an unended generation has written: a queued one too, where a worker has handed it over. */
export async function contentSoFar(
  context: Pick<ServiceContext, 'roomLog' | 'log'>,
  row: GenerationRow,
): Promise<ContentBlock[]> {
  return (await writtenSoFar(context, row)).content;
}

/** The same with what it has used. Where Redis does not answer: what the row knows. */
export async function writtenSoFar(
  { roomLog, log }: Pick<ServiceContext, 'roomLog' | 'log'>,
  row: GenerationRow,
): Promise<Written> {
  return readWritten(roomLog, row).catch((error: unknown) => {
    log.warn({ generationId: row.id, reason: String(error) }, 'live content cannot be read');
    return storedOf(row);
  });
}
