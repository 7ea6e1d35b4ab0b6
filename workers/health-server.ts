import { createServer, type Server } from 'node:http';
import type { Registry } from 'prom-client';
import { registerProcessMetrics } from '../src/lib/process-metrics.js';

interface HealthOptions {
  port: number;
  host: string;
  /** The metrics of the process; those of Node are added. */
  registry: Registry;
  /** Throws when a store does not answer. */
  ready: () => Promise<void>;
}

/** `/healthz`, `/readyz` and `/metrics` of a worker process, for orchestrators and Prometheus. */
export async function startHealthServer({ port, host, registry, ready }: HealthOptions): Promise<Server> {
  registerProcessMetrics(registry);
  const routes: Record<string, () => Promise<{ status: number; type: string; body: string }>> = {
    '/healthz': () => Promise.resolve(json(200, { status: 'ok' })),
    '/readyz': () =>
      ready().then(
        () => json(200, { status: 'ok' }),
        (error: unknown) => json(503, { status: 'unavailable', detail: String(error) }),
      ),
    '/metrics': async () => ({ status: 200, type: registry.contentType, body: await registry.metrics() }),
  };
  const server = createServer((request, response) => {
    const route = routes[request.url?.split('?')[0] ?? ''];
    const answer = route ? route() : Promise.resolve(json(404, { status: 'not found' }));
    answer.then(
      ({ status, type, body }) => response.writeHead(status, { 'Content-Type': type }).end(body),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return server;
}

const json = (status: number, body: object) => ({
  status,
  type: 'application/json',
  body: JSON.stringify(body),
});
