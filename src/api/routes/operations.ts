import type { Router } from 'express';
import type { Registry } from 'prom-client';
import { AppError } from '../../domain/errors.js';
import { createRouter } from '../api.js';
import { adminOnly } from '../middleware/admin.js';
import type { ApiSettings } from '../settings.js';
import { within } from '../store-watch.js';

interface OperationsOptions {
  registry: Registry;
  settings: Pick<ApiSettings, 'adminToken' | 'production'>;
  pingPostgres: () => Promise<void>;
  pingRedis: () => Promise<void>;
}

const readyTimeoutMs = 1000;

/** For those who run it: `/healthz` (alive), `/readyz` (its stores answer within a second), `/metrics` (Prometheus). */
export function operationRoutes({ registry, settings, pingPostgres, pingRedis }: OperationsOptions): Router {
  const router = createRouter();

  router.get('/healthz', (_req, res) => {
    res.set('Cache-Control', 'no-store').json({ status: 'ok' });
  });

  router.get('/readyz', async (_req, res) => {
    const [postgres, redis] = await Promise.allSettled([
      within(readyTimeoutMs, pingPostgres()),
      within(readyTimeoutMs, pingRedis()),
    ]);
    const away = [
      ...(postgres.status === 'rejected' ? ['Postgres'] : []),
      ...(redis.status === 'rejected' ? ['Redis'] : []),
    ];
    res.set('Cache-Control', 'no-store');
    if (away.length > 0)
      throw new AppError('unavailable', `No answer from ${away.join(' and ')}.`, { retryAfterSeconds: 1 });
    res.json({ status: 'ready' });
  });

  router.get('/metrics', adminOnly(settings), async (_req, res) => {
    res
      .set('Cache-Control', 'no-store')
      .type(registry.contentType)
      .send(await registry.metrics());
  });

  return router;
}
