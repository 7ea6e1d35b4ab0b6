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

  /** Calls `away` once Postgres does not answer, and looks again and again until it is told to stop. */
  function watchPostgres(away: (reason: AppError) => void): () => void {
    let timer = setTimeout(look, patienceMs);
    let stopped = false;
    function look() {
      probePostgres()
        .catch((cause: unknown) => {
          if (performance.now() - answeredAt < probeTimeoutMs) return;
          away(new AppError('unavailable', 'Postgres does not answer.', { cause, retryAfterSeconds: 1 }));
          stopped = true;
        })
        .finally(() => {
          if (!stopped) timer = setTimeout(look, patienceMs);
        });
    }
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }

  return {
    answering: async (work) => {
      let stop = () => {};
      const away = new Promise<never>((_, reject) => {
        stop = watchPostgres(reject);
      });
      try {
        const answer = await Promise.race([work, away]);
        answeredAt = performance.now();
        return answer;
      } finally {
        stop();
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
