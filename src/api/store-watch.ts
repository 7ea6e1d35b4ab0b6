import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../domain/errors.js';

/** A healthy store answers in a few milliseconds: whoever waits this long has reason to ask. */
const patienceMs = 300;
const probeTimeoutMs = 600;

/** Tells a store that is busy from one that is away. */
export interface StoreWatch {
  /**
   * Waits for work as long as Postgres answers, be it for a lock or a free connection. Once it does not answer, throws
   * `unavailable` within a second; the work itself goes on, and its outcome is not known.
   */
  answering: <T>(work: Promise<T>) => Promise<T>;
  /** @throws AppError unavailable, when Redis takes no write within a second */
  requireRedis: () => Promise<void>;
}

interface StoreWatchOptions {
  /** Both throw when their store is away; the one of Postgres has a connection of its own. */
  pingPostgres: () => Promise<void>;
  pingRedis: () => Promise<void>;
}

export function createStoreWatch({ pingPostgres, pingRedis }: StoreWatchOptions): StoreWatch {
  const probePostgres = shared(() => within(probeTimeoutMs, pingPostgres()));
  const probeRedis = shared(() => within(patienceMs + probeTimeoutMs, pingRedis()));

  /** When work was last answered: on a crowded machine a probe may be late where Postgres is not away. */
  let answeredAt = -Infinity;

  /** Fails once Postgres does not answer; else goes on until the signal fires. */
  async function postgresAway(signal: AbortSignal): Promise<never> {
    for (;;) {
      await sleep(patienceMs, undefined, { signal });
      await probePostgres().catch((cause: unknown) => {
        if (performance.now() - answeredAt < probeTimeoutMs) return;
        throw new AppError('unavailable', 'Postgres does not answer.', { cause, retryAfterSeconds: 1 });
      });
    }
  }

  return {
    answering: async (work) => {
      const settled = new AbortController();
      try {
        const answer = await Promise.race([work, postgresAway(settled.signal)]);
        answeredAt = performance.now();
        return answer;
      } finally {
        settled.abort();
      }
    },
    requireRedis: async () => {
      await probeRedis().catch((cause: unknown) => {
        throw new AppError('unavailable', 'Redis does not answer, or takes no writes.', {
          cause,
          retryAfterSeconds: 1,
        });
      });
    },
  };
}

/** Fails when the work takes longer; the work goes on. */
export async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      // A process that was held up comes to its timers before it reads what has been answered meanwhile.
      setImmediate(() => {
        reject(new Error(`no answer within ${timeoutMs} ms`));
      });
    }, timeoutMs);
  });
  return Promise.race([work, late]).finally(() => {
    clearTimeout(timer);
  });
}

/** Calls that come while one is under way get its answer. */
function shared<T>(call: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () =>
    (running ??= call().finally(() => {
      running = undefined;
    }));
}
