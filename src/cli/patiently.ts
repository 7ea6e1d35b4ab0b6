import { setTimeout as sleep } from 'node:timers/promises';
import { retryDelayMs, TokencastError } from '../client/index.js';

/** Asks again while the server is away, busy, or wants one to wait. @throws the last error; the signal's reason */
export async function patiently<T>(action: () => Promise<T>, signal?: AbortSignal, maxTries = 8): Promise<T> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await action();
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof TokencastError) || !error.retryable || failures + 1 >= maxTries) throw error;
      const waitMs = error.retryAfterSeconds ? error.retryAfterSeconds * 1000 : retryDelayMs(failures);
      await sleep(waitMs, undefined, signal && { signal });
    }
  }
}
