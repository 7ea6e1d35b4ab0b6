import { startWorker } from '../workers/compose-worker.js';
import { startApi } from './compose-api.js';
import { openCore } from './compose-core.js';
import { reaching, startProgram } from './compose-start.js';
import { claimDataDir, readOrCreateSecret } from './embedded/data-dir.js';
import { startEmbeddedPostgres } from './embedded/postgres.js';
import { startEmbeddedRedis } from './embedded/redis.js';
import { startBlock } from './start-block.js';
import { migrateDatabase } from './store/database.js';

/** `npm start`: the whole system in one process, with stores of its own where none are given. */
await startProgram('all', async ({ env, log, shutdown }) => {
  const dataDir = await claimDataDir(env.stores.dataDir);
  shutdown.add('data folder', () => dataDir.release());
  const authSecret = env.auth.secret ?? (await readOrCreateSecret(dataDir.path));

  const open = { dataDir: dataDir.path, log };
  const [redis, postgres] = await Promise.all([
    env.stores.redisUrl ? undefined : startEmbeddedRedis(open),
    env.stores.databaseUrl ? undefined : startEmbeddedPostgres(open),
  ]);
  for (const [name, store] of Object.entries({ redis, postgres })) {
    if (!store) continue;
    shutdown.add(name, () => store.close());
    void store.crashed.then((error) => {
      console.error(error.message);
      return shutdown.run(`${name} ended`, 1);
    });
  }
  const redisUrl = env.stores.redisUrl ?? redis?.url ?? '';
  const databaseUrl = env.stores.databaseUrl ?? postgres?.url ?? '';

  await reaching('DATABASE_URL', migrateDatabase(databaseUrl));
  const core = await reaching('REDIS_URL', openCore({ env, redisUrl, databaseUrl, maxConnections: 20, log }));
  shutdown.add('stores', () => core.close());
  const worker = await startWorker(core, env, redisUrl);
  shutdown.add('worker', () => worker.close());
  const api = await startApi({ core, env, authSecret });
  shutdown.add('api', () => api.close());

  console.log(
    startBlock({
      url: env.http.publicUrl ?? api.url,
      redis: redis?.kind ?? 'given by REDIS_URL',
      persistent: redis?.persistent ?? true,
      postgres: postgres ? 'embedded' : 'given by DATABASE_URL',
      dataDir: dataDir.path,
      model: core.context.models.defaultModel,
    }),
  );
});
