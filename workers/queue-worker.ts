import { Worker, type Processor, type WorkerOptions } from 'bullmq';

/** How all queues are worked at; the reasons are in docs/decisions/0003. */
const pace = {
  // A takeover after a kill takes at most lock + check.
  lockDuration: 5000,
  lockRenewTime: 1000,
  stalledInterval: 1000,
  // Jobs past it never reach the processor; Postgres counts the losses.
  maxStalledCount: Number.MAX_SAFE_INTEGER,
  runRetryDelay: 1000,
  drainDelay: 2,
} as const;

type Options = Pick<WorkerOptions, 'connection' | 'prefix' | 'concurrency' | 'limiter' | 'telemetry'>;

/**
 * BullMQ's worker, at our pace.
 *
 * Invariant: it never waits for Redis longer than its `drainDelay`, for a job that is delayed neither. BullMQ would wait up
 * to 10 s for one, and connections are given up sooner (`redis/connect.ts`).
 */
export class QueueWorker<Data> extends Worker<Data> {
  constructor(name: string, process: Processor<Data>, options: Options) {
    super(name, process, { ...options, ...pace });
  }

  /** In seconds. */
  override get maximumBlockTimeout(): number {
    return Math.min(super.maximumBlockTimeout, pace.drainDelay);
  }
}
