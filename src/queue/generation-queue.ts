import { Queue, type JobsOptions } from 'bullmq';
import type { Cluster, Redis } from 'ioredis';
import { providerNames, type ProviderName } from '../domain/models.js';
import { queueTelemetry } from '../lib/tracing.js';
import type { GenerationJob } from '../wire/jobs.js';

/** BullMQ's prefix: a hash tag, so that all its keys are on one shard of a cluster. */
export const queuePrefix = (keyPrefix: string) => `{${keyPrefix}:queue}`;

/** Which queue a generation waits in. */
export interface QueueKey {
  provider: ProviderName;
  /** Of a document: nobody waits for it as one waits for an answer. */
  background: boolean;
}

/** Of all queues that there are. */
export const queueKeys: readonly QueueKey[] = providerNames.flatMap((provider) =>
  [false, true].map((background) => ({ provider, background })),
);

export const queueOf = ({
  provider,
  documentId,
}: {
  provider: ProviderName;
  documentId: string | null;
}): QueueKey => ({ provider, background: documentId !== null });

/**
 * Every provider has queues of its own: one that asks us to wait does not hold up the others. Background work has its
 * own, and workers of its own: an answer never waits behind it.
 */
export const generationQueueName = ({ provider, background }: QueueKey) =>
  `${background ? 'documents' : 'generations'}-${provider}`;

/** BullMQ's largest priority. */
const maxPriority = 2_097_151;
const priorityClasses = 11;

/**
 * BullMQ's priority (small is first), fair among users: somebody's nth unfinished generation comes behind everybody's
 * (n-1)th, and among equals the request's own priority (0–10) decides.
 */
export function fairPriority(unfinishedOfUser: number, priority: number): number {
  const turns = Math.floor((maxPriority - priorityClasses) / priorityClasses);
  return 1 + priorityClasses * Math.min(unfinishedOfUser, turns) + priority;
}

/** What a queued generation leaves in the outbox for the relay. */
export interface QueuedGeneration extends QueueKey {
  /** From {@link fairPriority}. */
  priority: number;
  /** No worker takes it before. */
  delayMs?: number;
  job: GenerationJob;
}

/** Adds generations to the queues of their providers. */
export class GenerationQueues {
  readonly #queues = new Map<string, Queue<GenerationJob>>();

  constructor(
    private readonly connection: Redis | Cluster,
    private readonly keyPrefix: string,
  ) {}

  /**
   * Adds a job under the generation's id; one that is there already stays as it is. Finished jobs leave nothing behind:
   * BullMQ would silently ignore another of the same id.
   */
  async add({ priority, delayMs = 0, job, ...key }: QueuedGeneration): Promise<void> {
    const options: JobsOptions = {
      jobId: job.generationId,
      priority,
      delay: delayMs,
      removeOnComplete: true,
      removeOnFail: true,
    };
    await this.#queue(key).add('generation', job, options);
  }

  /** Whether the queue knows of the job, waiting or with a worker. */
  async has(key: QueueKey, generationId: string): Promise<boolean> {
    return (await this.#queue(key).getJob(generationId)) !== undefined;
  }

  /** Best effort: a job that a worker holds stays, and finds that there is nothing to do. */
  async remove(key: QueueKey, generationId: string): Promise<void> {
    await this.#queue(key).remove(generationId);
  }

  /** The queues of all providers. */
  all(): Queue<GenerationJob>[] {
    return queueKeys.map((key) => this.#queue(key));
  }

  /** Lets no worker take a job of this provider for so long. */
  async rateLimit(provider: ProviderName, ms: number): Promise<void> {
    const both = [false, true].map((background) => this.#queue({ provider, background }));
    await Promise.all(both.map((queue) => queue.rateLimit(ms)));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
  }

  #queue(key: QueueKey): Queue<GenerationJob> {
    const name = generationQueueName(key);
    let queue = this.#queues.get(name);
    if (!queue) {
      const telemetry = queueTelemetry();
      queue = new Queue<GenerationJob>(name, {
        connection: this.connection,
        prefix: queuePrefix(this.keyPrefix),
        ...(telemetry && { telemetry }),
      });
      queue.on('error', () => undefined); // the connection reports its own
      this.#queues.set(name, queue);
    }
    return queue;
  }
}
