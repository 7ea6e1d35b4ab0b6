import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from 'bullmq';
import type { ProviderName } from '../src/domain/models.js';
import { backoffMs } from '../src/lib/backoff.js';
import { reasonOf } from '../src/lib/root-cause.js';
import { inSpan, queueTelemetry } from '../src/lib/tracing.js';
import type { Provider } from '../src/providers/provider.js';
import { generationQueueName, queuePrefix } from '../src/queue/generation-queue.js';
import type { RedisClient } from '../src/redis/connect.js';
import { beginGeneration, type Attempt } from '../src/service/attempt.js';
import type { ServiceContext } from '../src/service/service-context.js';
import type { GenerationJob } from '../src/wire/jobs.js';
import { GenerationRun, type RunSettings } from './generation-run.js';
import type { Entry, ProviderGate } from './provider-gate.js';
import { QueueWorker } from './queue-worker.js';
import type { ToolRegistry } from './tools/tool-registry.js';
import { cancelWhenUnwatched, type IsWatched } from './unwatched.js';
import type { WorkerMetrics } from './worker-metrics.js';

interface GenerationWorkerOptions {
  context: ServiceContext;
  provider: Provider;
  /** Of this provider. */
  gate: ProviderGate;
  /** Takes what is run for documents, else what answers people. */
  background: boolean;
  /** A connection of purpose `blocking`; BullMQ duplicates it. */
  connection: RedisClient;
  keyPrefix: string;
  /** Generations at once. */
  concurrency: number;
  settings: RunSettings;
  tools: ToolRegistry;
  isWatched: IsWatched;
  metrics: WorkerMetrics;
}

/** Takes the generations of one queue and runs them. */
export class GenerationWorker {
  /** What is done here for each generation; `run` once its attempt has begun. */
  readonly #here = new Map<string, { run?: GenerationRun; done: Promise<unknown> }>();
  readonly #worker: QueueWorker<GenerationJob>;
  #leaving = false;

  constructor(private readonly options: GenerationWorkerOptions) {
    const { provider, background, connection, keyPrefix, concurrency, context } = options;
    const telemetry = queueTelemetry();
    this.#worker = new QueueWorker<GenerationJob>(
      generationQueueName({ provider: provider.name, background }),
      (job) => this.#process(job),
      {
        connection,
        prefix: queuePrefix(keyPrefix),
        ...(telemetry && { telemetry }),
        concurrency,
        // Never reached: `rateLimit()` does nothing without a limiter.
        limiter: { max: 1_000_000, duration: 1000 },
      },
    );
    this.#worker.on('error', (error) => {
      context.log.warn({ provider: provider.name, reason: error.message }, 'queue worker');
    });
    this.#worker.on('lockRenewalFailed', (ids: string[]) => {
      for (const id of ids) this.#here.get(id)?.run?.stop('handOver');
    });
  }

  /** The provider whose generations it runs. */
  get provider(): ProviderName {
    return this.options.provider.name;
  }

  /** Generations that run here now. */
  get running(): number {
    return this.#here.size;
  }

  /** Stops a generation if it runs here; its end is stored by its run. */
  cancel(generationId: string): void {
    this.#here.get(generationId)?.run?.stop('cancelled');
  }

  /** Takes no new job; lets what runs go on for the grace, then hands it over to other workers. */
  async close(graceMs: number): Promise<void> {
    // Not awaited: locks go on being renewed until every job is done with.
    const closed = this.#worker.close();
    const done = new AbortController();
    void sleep(graceMs, undefined, { signal: done.signal }).then(
      () => {
        this.#leaving = true;
        for (const { run } of this.#here.values()) run?.stop('handOver');
      },
      () => undefined,
    );
    await closed;
    done.abort();
  }

  async #process(job: Job<GenerationJob>): Promise<void> {
    const { generationId } = job.data;
    const earlier = this.#here.get(generationId);
    if (earlier) {
      // The job comes again because its lock was lost. BullMQ renews locks by job id: when the earlier one ends it would
      // let go of this one's, so this one goes back and comes once more.
      earlier.run?.stop('handOver');
      await earlier.done;
      return this.#giveBack();
    }
    const here: { run?: GenerationRun; done: Promise<unknown> } = { done: Promise.resolve() };
    this.#here.set(generationId, here);
    const processed = this.#run(job, here).finally(() => this.#here.delete(generationId));
    here.done = processed.catch(() => undefined);
    return processed;
  }

  async #run(job: Job<GenerationJob>, here: { run?: GenerationRun }): Promise<void> {
    // Before it begins: what has to wait for its provider stays queued.
    const entry = await this.options.gate.tryEnter();
    if (typeof entry === 'number') return this.#giveBack();
    try {
      await this.#runEntered(job, here, entry);
    } finally {
      entry.leave();
    }
  }

  async #runEntered(job: Job<GenerationJob>, here: { run?: GenerationRun }, entry: Entry): Promise<void> {
    const { context, provider, gate, settings, tools, isWatched, metrics } = this.options;
    const attempt = await this.#begin(job.data.generationId);
    if (attempt === 'leaving') return this.#giveBack();
    if (!attempt) return;
    metrics.begun(attempt);
    const run = new GenerationRun({ context, provider, gate, entry, attempt, tools, settings, metrics });
    here.run = run;
    if (this.#leaving) run.stop('handOver');
    const over = new AbortController();
    void cancelWhenUnwatched(context, isWatched, attempt.generation, over.signal);
    const result = await inSpan('attempt', () => run.run(), { attributes: attributesOf(attempt) }).finally(
      () => {
        over.abort();
      },
    );
    if (result.kind === 'ended') return;
    if (result.waitMs !== undefined) await gate.hold(result.waitMs);
    this.#giveBack();
  }

  /** Begins the attempt, as soon as Postgres answers. */
  async #begin(generationId: string): Promise<Attempt | undefined | 'leaving'> {
    for (let failures = 0; ; failures += 1) {
      if (this.#leaving) return 'leaving';
      try {
        return await beginGeneration(this.options.context, generationId);
      } catch (error) {
        this.options.context.log.warn(
          { generationId, reason: reasonOf(error) },
          'a generation cannot be begun yet',
        );
        await sleep(backoffMs(failures, { baseMs: 100, maxMs: 1000 }));
      }
    }
  }

  /**
   * Gives the job to whoever is free. One whose lock is lost has been given to somebody already.
   *
   * BullMQ does so itself for this error, once it renews the lock no longer. With `moveToWait` here this very worker could
   * have the job again before, and BullMQ, which renews by job id, would then let go of the new lock.
   */
  #giveBack(): never {
    throw QueueWorker.RateLimitError();
  }
}

/** What a trace says of an attempt: never what is written. */
const attributesOf = ({ generation }: Attempt) => ({
  'tokencast.generation_id': generation.id,
  'tokencast.attempt': generation.attempt,
  'gen_ai.request.model': generation.model,
  ...(generation.conversationId !== null && { 'tokencast.conversation_id': generation.conversationId }),
  ...(generation.documentId !== null && { 'tokencast.document_id': generation.documentId }),
});
