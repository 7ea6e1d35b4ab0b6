import { retryDelayMs } from './retry-delay.js';
import { TokencastError } from './tokencast-error.js';

interface Patience {
  signal?: AbortSignal;
  /** Default: it never gives up. */
  maxTries?: number;
  /** The most that the first wait takes, in ms. */
  firstDelayMs?: number;
}

/** Asks again while the server is away, busy, or wants one to wait. @throws the last error; the signal's reason */
export async function patiently<T>(
  action: () => Promise<T>,
  { signal, maxTries = Number.POSITIVE_INFINITY, firstDelayMs }: Patience = {},
): Promise<T> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await action();
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof TokencastError) || !error.retryable || failures + 1 >= maxTries) throw error;
      const waitMs = error.retryAfterSeconds
        ? error.retryAfterSeconds * 1000
        : retryDelayMs(failures, Math.random(), firstDelayMs);
      await pause(waitMs, signal);
    }
  }
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
