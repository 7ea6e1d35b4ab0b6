import { sql } from 'drizzle-orm';
import type { ProviderName } from '../domain/models.js';
import type { Executor } from './database.js';
import { generations } from './schema/generations.js';
import { outbox } from './schema/outbox.js';

/** What has not ended of one queue. */
export interface QueueFigures {
  provider: ProviderName;
  /** Of documents. */
  background: boolean;
  /** Behind another one of their conversation. */
  waiting: number;
  queued: number;
  running: number;
  /** How long the first that is queued is so. */
  oldestQueuedSeconds: number;
}

const sinceSeconds = (time: ReturnType<typeof sql>) =>
  sql<number>`coalesce(extract(epoch from now() - ${time}), 0)::float8`;

/** Of every queue in which something has not ended. */
export async function readQueueFigures(db: Executor): Promise<QueueFigures[]> {
  const { provider, documentId, status, queuedAt } = generations;
  const background = sql<boolean>`${documentId} is not null`;
  const of = (value: string) => sql<number>`count(*) filter (where ${status} = ${value})::int`;
  return db
    .select({
      provider,
      background,
      waiting: of('waiting'),
      queued: of('queued'),
      running: of('running'),
      oldestQueuedSeconds: sinceSeconds(sql`min(${queuedAt}) filter (where ${status} = 'queued')`),
    })
    .from(generations)
    .where(sql`${status} in ('waiting', 'queued', 'running')`)
    .groupBy(provider, background);
}

/** What the room logs and queues have not been told yet. */
export async function readOutboxFigures(db: Executor): Promise<{ rows: number; oldestSeconds: number }> {
  const [figures] = await db
    .select({
      rows: sql<number>`count(*)::int`,
      oldestSeconds: sinceSeconds(sql`min(${outbox.createdAt})`),
    })
    .from(outbox);
  return figures ?? { rows: 0, oldestSeconds: 0 };
}
