import { setTimeout as sleep } from 'node:timers/promises';

/** Whether a promise has come to its end, be it a failure, within the time. Leaves no timer behind. */
export async function settledWithin(promise: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  const over = new AbortController();
  const settled = promise.then(
    () => true,
    () => true,
  );
  const late = sleep(timeoutMs, false, { signal: over.signal }).catch(() => false);
  const isSettled = await Promise.race([settled, late]);
  over.abort();
  return isSettled;
}
