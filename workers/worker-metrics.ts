import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Attempt } from '../src/service/attempt.js';
import { generationQueueName, queueOf } from '../src/queue/generation-queue.js';

const waitBuckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
const latencyBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What the workers of a process measure of the generations that they run. */
export class WorkerMetrics {
  readonly #waits: Histogram<'queue'>;
  readonly #attempts: Counter<'kind'>;
  readonly #handOvers: Counter<'reason'>;
  readonly #firstTokens: Histogram<'provider'>;
  readonly #appends: Histogram;

  constructor(registry: Registry, running: () => number) {
    const registers = [registry];
    new Gauge({
      name: 'tokencast_generations_running',
      help: 'Generations that this worker process runs now.',
      registers,
      collect() {
        this.set(running());
      },
    });
    this.#waits = new Histogram({
      name: 'tokencast_queue_wait_seconds',
      help: 'How long generations have waited for a worker, until their first start.',
      labelNames: ['queue'],
      buckets: waitBuckets,
      registers,
    });
    this.#attempts = new Counter({
      name: 'tokencast_attempts_total',
      help: 'Starts of generations: first ones, of such as were handed over, and takeovers from workers that were lost.',
      labelNames: ['kind'],
      registers,
    });
    this.#handOvers = new Counter({
      name: 'tokencast_hand_overs_total',
      help: 'Generations that were given back to be gone on with: the provider asked to wait, or the worker had to let go.',
      labelNames: ['reason'],
      registers,
    });
    this.#firstTokens = new Histogram({
      name: 'tokencast_time_to_first_token_seconds',
      help: 'From the start of an attempt to the first piece of its answer.',
      labelNames: ['provider'],
      buckets: waitBuckets,
      registers,
    });
    this.#appends = new Histogram({
      name: 'tokencast_chunk_append_seconds',
      help: 'From the oldest chunk of the model in an append to the room log having it.',
      buckets: latencyBuckets,
      registers,
    });
  }

  begun({ generation, takesOver = false }: Attempt): void {
    const isFirst = generation.attempt === 1;
    this.#attempts.inc({ kind: isFirst ? 'first' : takesOver ? 'takeover' : 'handed_over' });
    const { startedAt, queuedAt, createdAt } = generation;
    if (!isFirst || !startedAt) return;
    const waitedMs = startedAt.getTime() - (queuedAt ?? createdAt).getTime();
    this.#waits.observe({ queue: generationQueueName(queueOf(generation)) }, Math.max(0, waitedMs) / 1000);
  }

  handedOver(reason: 'rate_limited' | 'released'): void {
    this.#handOvers.inc({ reason });
  }

  firstToken({ generation: { provider } }: Attempt, ms: number): void {
    this.#firstTokens.observe({ provider }, ms / 1000);
  }

  appended(ms: number): void {
    this.#appends.observe(ms / 1000);
  }
}
