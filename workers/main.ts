import { openCore } from '../src/compose-core.js';
import { reaching, startProgram } from '../src/compose-start.js';
import { StartError } from '../src/lib/start-error.js';
import { migrateDatabase } from '../src/store/database.js';
import { startWorker } from './compose-worker.js';
import { startHealthServer } from './health-server.js';

/** `npm run start:worker`: runs generations; any number of these processes share the stores. */
await startProgram('worker', async ({ env, log, shutdown }) => {
  const { redisUrl, databaseUrl } = env.stores;
  if (!redisUrl || !databaseUrl)
    throw new StartError('REDIS_URL and DATABASE_URL are required for the roles apart');
  await reaching('DATABASE_URL', migrateDatabase(databaseUrl));
  const core = await reaching('REDIS_URL', openCore({ env, redisUrl, databaseUrl, maxConnections: 20, log }));
  shutdown.add('stores', () => core.close());
  const worker = await startWorker(core, env, redisUrl);
  shutdown.add('worker', () => worker.close());
  const { port } = env.worker;
  if (port !== undefined) {
    const health = await startHealthServer({
      port,
      host: env.http.host,
      registry: core.registry,
      ready: async () => {
        await Promise.all([core.pingRedis(), core.store.ping()]);
      },
    });
    shutdown.add('health', () => {
      health.close();
      health.closeAllConnections();
    });
  }
  log.info({ concurrency: env.worker.concurrency }, 'worker is running');
});
