import type { RequestHandler } from 'express';
import { inSpan, traceFields } from '../../lib/tracing.js';
import { routeOf } from './http-metrics.js';
import { isQuiet } from './request-log.js';

const traceparentPattern = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/;

/** Records each request as a step of its caller's trace, else as the first of a new one; never its path or query. */
export const tracedRequests: RequestHandler = (req, res, next) => {
  if (isQuiet(req)) {
    next();
    return;
  }
  const given = req.headers.traceparent;
  const parent = typeof given === 'string' && traceparentPattern.test(given) ? given : undefined;
  void inSpan(
    req.method,
    async (span) => {
      Object.assign(res.locals, traceFields());
      const closed = new Promise<void>((resolve) => res.once('close', resolve));
      next();
      await closed;
      const route = routeOf(req);
      span.rename(`${req.method} ${route}`);
      span.set({
        'http.request.method': req.method,
        'http.route': route,
        'http.response.status_code': res.statusCode,
        'tokencast.request_id': String(res.getHeader('x-request-id')),
      });
    },
    { kind: 'server', parent },
  );
};
