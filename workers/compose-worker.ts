import type { Core } from '../src/compose-core.js';
import type { Env } from '../src/config/env.js';
import { providerNames } from '../src/domain/models.js';
import { createProviders } from '../src/providers/registry.js';
import { listenForCancels } from '../src/redis/cancel-flags.js';
import { connectRedis } from '../src/redis/connect.js';
import { isWatched } from '../src/redis/presence.js';
import { ProviderLimits } from '../src/redis/provider-limits.js';
import { GenerationWorker } from './generation-worker.js';
import { Maintenance } from './maintenance.js';
import { registerHoldMetric } from './hold-metric.js';
import { ProviderGate } from './provider-gate.js';
import { WebhookSender } from './webhooks/webhook-sender.js';
import { WebhookWorker } from './webhooks/webhook-worker.js';
import { ToolRegistry } from './tools/tool-registry.js';
import { WorkerMetrics } from './worker-metrics.js';

export interface RunningWorker {
  /** Takes no new job, lets what runs go on for the grace, hands over what is left. */
  close(): Promise<void>;
}

/** Runs generations, and takes its turn at the maintenance. */
export async function startWorker(core: Core, env: Env, redisUrl: string): Promise<RunningWorker> {
  const { context, redis, keys, subscriber } = core;
  const { cache, documents, generation, worker } = env;
  const providers = await createProviders(env.providers);
  const tools = new ToolRegistry(env.tools, core.threads, context.log);
  const connection = connectRedis(redisUrl, 'blocking', context.log, env.redisTls);
  const called = providerNames
    .map((name) => providers.get(name))
    .filter((provider) => provider !== undefined)
    .map((provider) => {
      const limits = new ProviderLimits(redis, keys, provider);
      const { queues, log } = context;
      return { provider, gate: new ProviderGate({ provider: provider.name, limits, queues, log }) };
    });
  registerHoldMetric(
    core.registry,
    called.map(({ provider, gate }) => [provider.name, gate]),
  );
  const running = () => workers.reduce((sum, each) => sum + each.running, 0);
  const metrics = new WorkerMetrics(core.registry, running);
  const workers: GenerationWorker[] = called.flatMap(({ provider, gate }) =>
    [false, true].map(
      (background) =>
        new GenerationWorker({
          context,
          provider,
          gate,
          background,
          connection,
          keyPrefix: env.stores.keyPrefix,
          concurrency: background ? documents.concurrency : worker.concurrency,
          settings: { ...generation, cacheShared: cache.shared },
          tools,
          isWatched: (room) => isWatched(redis, keys, room),
          metrics,
        }),
    ),
  );
  const webhooks = new WebhookWorker({
    db: context.db,
    log: context.log,
    connection,
    keyPrefix: env.stores.keyPrefix,
    sender: new WebhookSender(env.webhooks),
    retryDelaysMs: env.webhooks.retryDelaysMs,
  });
  await listenForCancels(subscriber, keys, (generationId) => {
    for (const each of workers) each.cancel(generationId);
  });
  await context.answerCache.listen(subscriber);
  const maintenance = new Maintenance({
    context,
    redis,
    keys,
    storage: core.storage,
  });
  maintenance.start();
  return {
    close: async () => {
      // At once, so that no job is taken while a sweep waits for a store.
      await Promise.all([
        maintenance.close(),
        webhooks.close(),
        ...workers.map((each) => each.close(worker.shutdownGraceMs)),
      ]);
      await Promise.all([providers.close(), tools.close()]);
      connection.disconnect();
    },
  };
}
