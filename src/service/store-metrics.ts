import { Gauge, type Registry } from 'prom-client';
import { settledWithin } from '../lib/settled-within.js';
import { SingleFlight } from '../lib/single-flight.js';
import { generationQueueName, queueKeys } from '../queue/generation-queue.js';
import type { Database } from '../store/database.js';
import { readOutboxFigures, readQueueFigures, type QueueFigures } from '../store/figures.js';

/** Who asks for metrics does not wait longer for a Postgres that does not answer. */
const patienceMs = 1000;

/**
 * Registers what Postgres knows of the whole system: every process tells the same. While Postgres is away there are no
 * figures.
 */
export function registerStoreMetrics(registry: Registry, db: Database): void {
  // The gauges of one scrape share one look.
  const looks = new SingleFlight<QueueFigures[]>();
  const outboxLooks = new SingleFlight<{ rows: number; oldestSeconds: number }>();

  const ofQueues = (name: string, help: string, figure: (figures: QueueFigures) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ['queue'],
      registers: [registry],
      async collect() {
        this.reset();
        const known = await inTime(looks.do('', () => readQueueFigures(db)));
        if (!known) return;
        for (const key of queueKeys) {
          const found = known.find(
            ({ provider, background }) => provider === key.provider && background === key.background,
          );
          this.set({ queue: generationQueueName(key) }, found ? figure(found) : 0);
        }
      },
    });
  ofQueues('tokencast_queue_depth', 'Generations that wait for a worker.', ({ queued }) => queued);
  ofQueues(
    'tokencast_queue_oldest_seconds',
    'How long the first of those that wait for a worker has waited.',
    ({ oldestQueuedSeconds }) => oldestQueuedSeconds,
  );
  ofQueues('tokencast_queue_running', 'Generations that run, over all workers.', ({ running }) => running);
  ofQueues(
    'tokencast_queue_held_back',
    'Generations that wait for another one of their conversation to end.',
    ({ waiting }) => waiting,
  );

  const ofOutbox = (name: string, help: string, figure: 'rows' | 'oldestSeconds') =>
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        // Without labels a gauge begins with 0.
        this.remove();
        const known = await inTime(outboxLooks.do('', () => readOutboxFigures(db)));
        if (known) this.set(known[figure]);
      },
    });
  ofOutbox('tokencast_outbox_rows', 'Committed events and jobs that are not told yet.', 'rows');
  ofOutbox(
    'tokencast_outbox_oldest_seconds',
    'Age of the oldest of them: the lag of the outbox.',
    'oldestSeconds',
  );
}

/** Undefined: it failed, or takes too long. */
async function inTime<T>(figures: Promise<T>): Promise<T | undefined> {
  const known = figures.catch(() => undefined);
  return (await settledWithin(known, patienceMs)) ? known : undefined;
}
