import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestHandler, Response } from 'express';
import { pinoHttp } from 'pino-http';
import type { Logger } from '../../lib/logger.js';
import { traceFields } from '../../lib/tracing.js';

const saneId = /^[\w.:-]{1,128}$/;

/** Asked every few seconds by machines. */
const quietPaths = new Set(['/healthz', '/readyz', '/metrics']);

const pathOf = (req: IncomingMessage) => (req.url ?? '').split('?', 1)[0] ?? '';

/** Whether a request says nothing of what people do. */
export const isQuiet = (req: IncomingMessage): boolean => quietPaths.has(pathOf(req));

/** The path without the secret that an invitation's link is. */
const loggedPath = (req: IncomingMessage) => pathOf(req).replace(/(\/invites?\/)[^/]+/i, '$1[redacted]');

/** One line for each request, without query strings, headers, bodies or secrets; and an id, the caller's where it is sane. */
export function requestLog(log: Logger): RequestHandler {
  return pinoHttp({
    logger: log,
    genReqId: (req, res) => {
      const given = req.headers['x-request-id'];
      const id = typeof given === 'string' && saneId.test(given) ? given : randomUUID();
      res.setHeader('X-Request-Id', id);
      return id;
    },
    autoLogging: { ignore: isQuiet },
    // What failed is logged with its cause by the error handler.
    customLogLevel: (_req, res) => (res.statusCode >= 500 ? 'warn' : 'info'),
    customErrorObject: (_req, res, _error, { responseTime }: Timed) => ({
      res,
      responseTime,
      ...loggedOf(res),
    }),
    customSuccessObject: (_req, res, { responseTime }: Timed) => ({ res, responseTime, ...loggedOf(res) }),
    wrapSerializers: false,
    serializers: {
      req: (req: IncomingMessage) => ({ id: req.id, method: req.method, path: loggedPath(req) }),
      res: (res: { statusCode: number }) => ({ status: res.statusCode }),
    },
  });
}

interface Timed {
  responseTime: number;
}

/** What a request was about, where its handler has come to know: ids alone. */
interface Logged {
  traceId?: string;
  conversationId?: string;
  generationId?: string;
}

/** Has the line of the request say what it was about. */
export function logWith(
  res: Response,
  ids: { conversationId: string | undefined; generationId: string },
): void {
  Object.assign(res.locals, ids);
}

function loggedOf(res: ServerResponse): Logged {
  const { traceId, conversationId, generationId } = ('locals' in res ? res.locals : {}) as Logged;
  return {
    // The line may be written where nothing is active any more.
    ...(traceId !== undefined && traceFields().traceId === undefined && { traceId }),
    ...(conversationId !== undefined && { conversationId }),
    ...(generationId !== undefined && { generationId }),
  };
}
