import { Queue } from 'bullmq';
import { expect, onTestFinished, test } from 'vitest';
import { queuePrefix } from '../../src/queue/generation-queue.js';
import { QueueWorker } from '../../workers/queue-worker.js';
import { openRedis, testKeyPrefix } from '../support/stores.js';

/** How late a job may be run on a busy machine. */
const lateMs = 1500;

test('a worker waits for a delayed job without its connection being given up, and runs it at its time', async () => {
  const connection = openRedis();
  const prefix = queuePrefix(testKeyPrefix());
  const queue = new Queue('delayed', { connection, prefix });
  const failures: string[] = [];
  let ran: (at: number) => void = () => undefined;
  const runsAt = new Promise<number>((resolve) => {
    ran = resolve;
  });
  const worker = new QueueWorker(
    'delayed',
    () => {
      ran(Date.now());
      return Promise.resolve();
    },
    { connection, prefix },
  );
  worker.on('error', (error) => failures.push(error.message));
  onTestFinished(async () => {
    await worker.close();
    await queue.obliterate({ force: true });
    await queue.close();
    connection.disconnect();
  });
  await worker.waitUntilReady();
  const dueAt = Date.now() + 5000;
  await queue.add('job', {}, { delay: 5000 });
  const lateness = (await runsAt) - dueAt;
  expect(failures).toEqual([]);
  expect(lateness).toBeGreaterThan(-100);
  expect(lateness).toBeLessThan(lateMs);
});
