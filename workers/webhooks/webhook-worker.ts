import { DelayedError, type Job } from 'bullmq';
import type { Cluster, Redis } from 'ioredis';
import type { Logger } from '../../src/lib/logger.js';
import { queuePrefix } from '../../src/queue/generation-queue.js';
import { webhookQueueName, type DeliveryJob } from '../../src/queue/webhook-queue.js';
import type { Database } from '../../src/store/database.js';
import {
  findPendingDelivery,
  updateDelivery,
  updateWebhook,
  type PendingDelivery,
} from '../../src/store/webhooks.js';
import { QueueWorker } from '../queue-worker.js';
import type { Attempt, WebhookSender } from './webhook-sender.js';

interface WebhookWorkerOptions {
  db: Database;
  log: Logger;
  /** A connection of purpose `blocking`; BullMQ duplicates it. */
  connection: Redis | Cluster;
  keyPrefix: string;
  sender: WebhookSender;
  /** Before each further attempt. */
  retryDelaysMs: readonly number[];
}

const concurrency = 20;

/** An endpoint at which nothing has arrived for so long is sent nothing more. */
const failingMs = 5 * 86_400_000;

/**
 * Makes the attempts of deliveries. Postgres says how often one was tried and when it is tried again: a job only wakes,
 * and one that is lost with its worker or with Redis is added again (`service/sweeps.ts`).
 */
export class WebhookWorker {
  readonly #worker: QueueWorker<DeliveryJob>;
  readonly #closing = new AbortController();

  constructor(private readonly options: WebhookWorkerOptions) {
    const { connection, keyPrefix, log } = options;
    this.#worker = new QueueWorker<DeliveryJob>(webhookQueueName, (job, token) => this.#process(job, token), {
      connection,
      prefix: queuePrefix(keyPrefix),
      concurrency,
    });
    this.#worker.on('error', (error) => {
      log.warn({ queue: webhookQueueName, reason: error.message }, 'queue worker');
    });
  }

  /** Breaks off what is on its way: another worker makes the attempt anew. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the worker stops'));
    await this.#worker.close();
    await this.options.sender.close();
  }

  async #process(job: Job<DeliveryJob>, token: string | undefined): Promise<void> {
    const { db, sender } = this.options;
    const found = await findPendingDelivery(db, job.data.deliveryId);
    if (!found) return;
    const { delivery, webhook, mayRead } = found;
    const early = delivery.nextAt.getTime() - Date.now();
    if (early > 1000) return this.#later(job, token, early);
    if (webhook.disabledReason !== null && delivery.type !== 'webhook.test')
      return this.#end(found, 'The webhook is disabled.');
    if (!mayRead) return this.#end(found, 'Its owner may not read this any more.');
    const { url, secret } = webhook;
    const { eventId, payload } = delivery;
    const attempt = await sender
      .send({ url, secret, eventId, payload }, this.#closing.signal)
      .catch(() => undefined);
    if (!attempt) return this.#later(job, token, 0);
    const delayMs = await this.#record(found, attempt);
    if (delayMs !== undefined) return this.#later(job, token, delayMs);
  }

  /** Stores how an attempt went. @returns after how long it is made again; undefined: it is not */
  async #record({ delivery, webhook }: PendingDelivery, attempt: Attempt): Promise<number | undefined> {
    const { db, log, retryDelaysMs } = this.options;
    const { arrived, statusCode, error } = attempt;
    const now = Date.now();
    const made = { attempts: delivery.attempts + 1, statusCode, error };
    if (arrived) {
      await updateDelivery(db, delivery.id, { ...made, status: 'delivered', endedAt: new Date(now) });
      if (webhook.failingSince) await updateWebhook(db, webhook.id, { failingSince: null });
      return undefined;
    }
    log.info({ deliveryId: delivery.id, ...made }, 'a webhook did not arrive');
    const failingSince = webhook.failingSince ?? new Date(now);
    const isGone = statusCode === 410;
    const isFailing = now - failingSince.getTime() > failingMs;
    await updateWebhook(db, webhook.id, {
      failingSince,
      ...((isGone || isFailing) && { disabledReason: isGone ? 'gone' : 'failing' }),
    });
    const delayMs = retryDelaysMs[delivery.attempts];
    if (isGone || isFailing || delayMs === undefined || delivery.type === 'webhook.test') {
      await updateDelivery(db, delivery.id, { ...made, status: 'failed', endedAt: new Date(now) });
      return undefined;
    }
    // Spread, so that what failed together does not come back together.
    const waitMs = Math.round(delayMs * (0.9 + Math.random() / 5));
    await updateDelivery(db, delivery.id, { ...made, nextAt: new Date(now + waitMs) });
    return waitMs;
  }

  #end({ delivery }: PendingDelivery, error: string): Promise<void> {
    return updateDelivery(this.options.db, delivery.id, { status: 'failed', error, endedAt: new Date() });
  }

  async #later(job: Job<DeliveryJob>, token: string | undefined, delayMs: number): Promise<never> {
    await job.moveToDelayed(Date.now() + delayMs, token);
    throw new DelayedError();
  }
}
