import { Queue } from 'bullmq';
import type { Cluster, Redis } from 'ioredis';
import { queuePrefix } from './generation-queue.js';

export const webhookQueueName = 'webhooks';

/** A delivery waiting for its next attempt. Everything else stands in Postgres; the id is the job's id too. */
export interface DeliveryJob {
  deliveryId: string;
}

/** Adds deliveries of webhooks. */
export class WebhookQueue {
  /** For operators who look at it. */
  readonly queue: Queue<DeliveryJob>;

  constructor(connection: Redis | Cluster, keyPrefix: string) {
    this.queue = new Queue<DeliveryJob>(webhookQueueName, { connection, prefix: queuePrefix(keyPrefix) });
    this.queue.on('error', () => undefined); // the connection reports its own
  }

  /** One that is there already stays as it is. */
  async add(job: DeliveryJob): Promise<void> {
    await this.queue.add('delivery', job, {
      jobId: job.deliveryId,
      removeOnComplete: true,
      removeOnFail: true,
    });
  }

  async close(): Promise<void> {
    await this.queue.close();
  }
}
