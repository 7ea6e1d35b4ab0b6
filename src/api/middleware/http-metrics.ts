import type { Request, RequestHandler } from 'express';
import { Histogram, type Registry } from 'prom-client';

/** Measures requests by method, route and status. Event streams are left out: they last as long as they are watched. */
export function httpMetrics(registry: Registry): RequestHandler {
  const durations = new Histogram({
    name: 'tokencast_http_request_duration_seconds',
    help: 'From a request to the end of its answer; without event streams.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  return (req, res, next) => {
    const end = durations.startTimer();
    res.once('finish', () => {
      if (String(res.getHeader('content-type')).startsWith('text/event-stream')) return;
      end({ method: req.method, route: routeOf(req), status: res.statusCode });
    });
    next();
  };
}

/** The route's pattern, not the path: there must be few values. */
export function routeOf(req: Request): string {
  const route: unknown = req.route;
  if (typeof route !== 'object' || route === null || !('path' in route)) return 'none';
  return req.baseUrl + String(route.path);
}
