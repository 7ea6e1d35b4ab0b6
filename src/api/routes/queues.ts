import type { RequestHandler } from 'express';
import { AppError } from '../../domain/errors.js';
import type { ServiceContext } from '../../service/service-context.js';

/** Where the board is mounted. */
export const queueBoardPath = '/admin/queues';

/** As for all pages, but for what this one brings along: its base, and styles in its text. Its fonts of another host stay out. */
const policy = [
  "default-src 'self'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "img-src 'self' data:",
  "object-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
].join('; ');

type Queues = Pick<ServiceContext, 'queues' | 'webhooks'>;

/** `/admin/queues`: what is in BullMQ's queues, for operators to look at. A job holds ids, and nothing that people wrote. */
export function queueRoutes({ queues, webhooks }: Queues): RequestHandler {
  let opening: Promise<RequestHandler> | undefined;
  const open = async () => {
    const { createQueueBoard } = await import('../queue-board.js');
    return createQueueBoard([...queues.all(), webhooks.queue], queueBoardPath);
  };
  return async (req, res, next) => {
    if (req.method !== 'GET' && req.method !== 'HEAD')
      throw new AppError('forbidden', 'The queues can be looked at, not changed.');
    res.set('Content-Security-Policy', policy);
    const board = await (opening ??= open());
    await board(req, res, next);
  };
}
