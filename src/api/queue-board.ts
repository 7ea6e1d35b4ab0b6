import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import type { Queue } from 'bullmq';
import type { RequestHandler } from 'express';

/**
 * The pages of Bull Board. They show and change nothing: Postgres decides what is queued, and a job taken out here would
 * come again. Import it only when somebody asks for it: it is large.
 */
export function createQueueBoard(queues: readonly Queue[], path: string): RequestHandler {
  const server = new ExpressAdapter().setBasePath(path);
  createBullBoard({
    queues: queues.map((queue) => new BullMQAdapter(queue, { readOnlyMode: true })),
    serverAdapter: server,
    options: {
      uiConfig: { boardTitle: 'Tokencast', hideRedisDetails: true, pollingInterval: { forceInterval: 5 } },
    },
  });
  return server.getRouter() as RequestHandler;
}
