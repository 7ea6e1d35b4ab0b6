import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../src/lib/root-cause.js';
import type { LossDetector } from '../src/redis/loss-detector.js';
import type { ServiceContext } from '../src/service/service-context.js';
import {
  promoteStranded,
  promoteStrandedDocuments,
  relayStaleRooms,
  requeueDeliveries,
  repeatCancels,
  requeueLost,
} from '../src/service/sweeps.js';
import { deleteOldIdempotencyKeys } from '../src/store/idempotency.js';
import { deleteExpiredInvites } from '../src/store/invites.js';
import { deleteOldDeliveries } from '../src/store/webhooks.js';
import type { FileStorage } from '../src/storage/file-storage.js';
import { sweepFiles } from './sweep-files.js';

interface MaintenanceOptions {
  context: ServiceContext;
  lossDetector: LossDetector;
  storage: FileStorage;
}

interface Task {
  name: string;
  everyMs: number;
  run: () => Promise<unknown>;
}

const second = 1000;
const minute = 60 * second;
/** After Redis was lost, living workers have handed over what they run by then. */
const handOverMs = 5 * second;
/** What has been queued or running for so long without a job was lost in some other way. */
const longMs = 2 * minute;

/** Runs the sweeps of `service/sweeps.ts`, each at its pace, in every worker process. */
export class Maintenance {
  readonly #stopped = new AbortController();
  readonly #loops: Promise<void>[] = [];

  constructor(private readonly options: MaintenanceOptions) {
    setMaxListeners(0, this.#stopped.signal); // one for each loop
  }

  start(): void {
    const { context, storage } = this.options;
    const tasks: Task[] = [
      { name: 'relay', everyMs: second, run: () => relayStaleRooms(context) },
      { name: 'cancels', everyMs: second, run: () => repeatCancels(context) },
      { name: 'promote', everyMs: 2 * second, run: () => promoteStranded(context) },
      { name: 'documents', everyMs: 2 * second, run: () => promoteStrandedDocuments(context) },
      { name: 'loss', everyMs: second, run: () => this.#repairLoss() },
      { name: 'lost jobs', everyMs: minute, run: () => this.#requeue(longMs) },
      { name: 'webhooks', everyMs: second, run: () => requeueDeliveries(context) },
      { name: 'deliveries', everyMs: 10 * minute, run: () => deleteOldDeliveries(context.db) },
      { name: 'files', everyMs: minute, run: () => sweepFiles(context.db, storage) },
      { name: 'invites', everyMs: 10 * minute, run: () => deleteExpiredInvites(context.db) },
      { name: 'idempotency keys', everyMs: 10 * minute, run: () => deleteOldIdempotencyKeys(context.db) },
    ];
    for (const task of tasks) this.#loops.push(this.#loop(task));
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    await Promise.all(this.#loops);
  }

  async #loop({ name, everyMs, run }: Task): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        await run();
      } catch (error) {
        this.options.context.log.debug({ task: name, reason: reasonOf(error) }, 'maintenance failed');
      }
      // Spread, so that processes that started together do not sweep together.
      await sleep(everyMs * (0.75 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
    }
  }

  async #repairLoss(): Promise<void> {
    const { context, lossDetector } = this.options;
    const mark = await lossDetector.look();
    if (mark === undefined) return;
    const queued = await requeueLost(context, 'queued', 0);
    await sleep(handOverMs, undefined, { signal: this.#stopped.signal });
    const running = await this.#requeue(0);
    await lossDetector.markWhole(mark);
    context.log.info({ queued, running }, 'redis was new: lost jobs were queued again');
  }

  async #requeue(olderThanMs: number): Promise<number> {
    const { context } = this.options;
    return (
      (await requeueLost(context, 'queued', olderThanMs)) +
      (await requeueLost(context, 'running', olderThanMs))
    );
  }
}
