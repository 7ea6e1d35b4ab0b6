import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningSystem } from './system.js';
import { chunkText } from './work.js';

/** So many chunks a saturated system may be told of before it has said that it has taken the first of them. */
const maxInFlight = 128;
/** So far ahead of the slowest client a saturated room is written. */
const maxAhead = 1000;

/** Writes so many chunks a second to each room, one after the other, until it is told to stop. */
export async function writeEvenly(
  { doors, write }: RunningSystem,
  chunksPerSecond: number,
  signal: AbortSignal,
): Promise<void> {
  const rooms = doors.length;
  const inFlight = new Set<Promise<void>>();
  const beganAt = performance.now();
  for (let count = 0; !signal.aborted;) {
    const due = ((performance.now() - beganAt) * rooms * chunksPerSecond) / 1000;
    for (; count < due; count += 1) {
      const text = chunkText(Math.floor(count / rooms));
      const writing = write(count % rooms, text).finally(() => inFlight.delete(writing));
      inFlight.add(writing);
    }
    await sleep(1);
  }
  await Promise.all(inFlight);
}

/** Writes to the first room as fast as system and clients take it, until it is told to stop. */
export async function writeAsFastAsItGoes(
  { write }: RunningSystem,
  load: { readonly slowest: number },
  signal: AbortSignal,
): Promise<void> {
  const inFlight: Promise<void>[] = [];
  for (let n = 0; !signal.aborted;) {
    if (n - load.slowest > maxAhead) {
      await sleep(1);
      continue;
    }
    inFlight.push(write(0, chunkText(n)));
    n += 1;
    if (inFlight.length > maxInFlight) await inFlight.shift();
  }
  await Promise.all(inFlight);
}
