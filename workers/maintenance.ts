import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisClient } from '../src/redis/connect.js';
import type { Keys } from '../src/redis/keys.js';
import { Lease } from '../src/redis/lease.js';
import { LossDetector } from '../src/redis/loss-detector.js';
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
import { Sweeper } from './sweeper.js';

interface MaintenanceOptions {
  context: ServiceContext;
  /** Fails fast. */
  redis: RedisClient;
  keys: Keys;
  storage: FileStorage;
}

const second = 1000;
const minute = 60 * second;
/** After Redis was lost, living workers have handed over what they run by then. */
const handOverMs = 5 * second;
/** What has been queued or running for so long without a job was lost in some other way. */
const longMs = 2 * minute;

/** A process that is gone is followed so soon: before the locks of what it ran are over. */
const leaseMs = 3 * second;

/** Runs the sweeps of `service/sweeps.ts`, each at its pace, in one of the worker processes. */
export class Maintenance {
  readonly #stopped = new AbortController();
  readonly #sweeper: Sweeper;
  readonly #lossDetector: LossDetector;

  constructor(private readonly options: MaintenanceOptions) {
    const { context, storage, redis, keys } = options;
    this.#lossDetector = new LossDetector(redis, keys);
    this.#sweeper = new Sweeper({
      sweeps: [
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
      ],
      lease: new Lease({ redis, key: keys.sweeper, ttlMs: leaseMs }),
      log: context.log,
      everyMs: second,
    });
  }

  start(): void {
    this.#sweeper.start();
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    await this.#sweeper.close();
  }

  async #repairLoss(): Promise<void> {
    const { context } = this.options;
    const lossDetector = this.#lossDetector;
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
