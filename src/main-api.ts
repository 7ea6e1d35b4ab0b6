import { startApi } from './compose-api.js';
import { openCore } from './compose-core.js';
import { reaching, startProgram } from './compose-start.js';
import { StartError } from './lib/start-error.js';
import { migrateDatabase } from './store/database.js';

/** `npm run start:api`: HTTP, event streams and sockets; any number of these processes share the stores. */
await startProgram('api', async ({ env, log, shutdown }) => {
  const { redisUrl, databaseUrl } = env.stores;
  if (!redisUrl || !databaseUrl)
    throw new StartError('REDIS_URL and DATABASE_URL are required for the roles apart');
  await reaching('DATABASE_URL', migrateDatabase(databaseUrl));
  const core = await reaching('REDIS_URL', openCore({ env, redisUrl, databaseUrl, maxConnections: 20, log }));
  shutdown.add('stores', () => core.close());
  const api = await startApi({ core, env, authSecret: env.auth.secret });
  shutdown.add('api', () => api.close());
  log.info({ url: api.url }, 'api is listening');
});
