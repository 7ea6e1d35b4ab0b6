import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../src/lib/root-cause.js';
import { cancelUnwatched } from '../src/service/cancel.js';
import type { ServiceContext } from '../src/service/service-context.js';
import { transact } from '../src/service/work.js';
import type { GenerationRow } from '../src/store/generations.js';
import { generationRoom, type Room } from '../src/wire/room.js';

/** Whether anybody watches a room; undefined: it is not known. */
export type IsWatched = (room: Room) => Promise<boolean | undefined>;

const lookEveryMs = 1000;
/** After Redis was away, the gateways have said again who watches by then (they look every 3 s). */
const untoldMs = 5000;

/**
 * Does what `onUnwatched` asks for: cancels the generation once nobody has watched it for so long, counted from here.
 * It is decided as any cancel is, in Postgres; its run hears of it by the signal. In doubt it is watched. Returns when
 * it is cancelled, or when the signal fires; never fails.
 */
export async function cancelWhenUnwatched(
  context: ServiceContext,
  isWatched: IsWatched,
  generation: Pick<GenerationRow, 'id' | 'conversationId' | 'documentId' | 'options'>,
  signal: AbortSignal,
): Promise<void> {
  const { onUnwatched = 'continue' } = generation.options;
  if (onUnwatched === 'continue') return;
  const room = generationRoom(generation);
  /** Undefined: somebody is there, or may be. */
  let absentSince: number | undefined;
  let untoldUntil = 0;
  while (!signal.aborted) {
    try {
      const isAbsent = (await isWatched(room)) === false && Date.now() >= untoldUntil;
      absentSince = isAbsent ? (absentSince ?? Date.now()) : undefined;
    } catch {
      absentSince = undefined;
      untoldUntil = Date.now() + untoldMs;
    }
    const leftMs =
      absentSince === undefined ? lookEveryMs : absentSince + onUnwatched.cancelAfterMs - Date.now();
    if (leftMs <= 0) {
      try {
        await transact(context, (work) => cancelUnwatched(context, work, generation));
        return;
      } catch (error) {
        const fields = { generationId: generation.id, reason: reasonOf(error) };
        context.log.warn(fields, 'an unwatched generation cannot be cancelled yet');
      }
    }
    const waitMs = leftMs > 0 ? Math.min(leftMs, lookEveryMs) : lookEveryMs;
    await sleep(waitMs, undefined, { signal }).catch(() => undefined);
  }
}
