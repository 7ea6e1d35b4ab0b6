import { rm } from 'node:fs/promises';
import { GenericContainer, getContainerRuntimeClient } from 'testcontainers';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../src/embedded/postgres.js';
import { startEmbeddedRedis } from '../../src/embedded/redis.js';
import { createLogger } from '../../src/lib/logger.js';
import { startRedisCluster } from './redis-servers.js';
import { temporaryDataDir } from './temporary-data-dir.js';

declare module 'vitest' {
  export interface ProvidedContext {
    redisUrl: string;
    postgresUrl: string;
  }
}

interface Stores {
  redisUrl: string;
  postgresUrl: string;
  close(): Promise<void>;
}

/** The stores of the run. Every project runs this file, in one process but as a module of its own: hence global. */
const shared = globalThis as { tokencastTestStores?: { users: number; stores: Promise<Stores> } };

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const run = (shared.tokencastTestStores ??= { users: 0, stores: startStores() });
  run.users++;
  const stores = await run.stores;
  project.provide('redisUrl', stores.redisUrl);
  project.provide('postgresUrl', stores.postgresUrl);
  return async () => {
    if (--run.users > 0) return;
    delete shared.tokencastTestStores;
    await stores.close();
  };
}

/** `TEST_REDIS_CLUSTER=1`: the suite runs on a Redis Cluster of three nodes. */
const onCluster = process.env.TEST_REDIS_CLUSTER === '1';

async function startClusterForTests() {
  const cluster = await startRedisCluster();
  return { kind: 'a cluster of three nodes', url: cluster.url, close: () => cluster.dispose() };
}

/** From Docker where it answers, else as `npm start` has them. */
async function startStores(): Promise<Stores> {
  if (!onCluster && (await dockerAnswers())) {
    try {
      return await startContainers();
    } catch (error) {
      say(`Docker answers, but cannot run the stores (${String(error).split('\n', 1).join()})`);
    }
  }
  return startEmbedded();
}

const dockerAnswers = () =>
  getContainerRuntimeClient().then(
    () => true,
    () => false,
  );

async function startContainers(): Promise<Stores> {
  const redis = await new GenericContainer('redis:7-alpine').withExposedPorts(6379).start();
  try {
    const postgres = await new GenericContainer('postgres:17-alpine')
      .withEnvironment({
        POSTGRES_USER: 'tokencast',
        POSTGRES_PASSWORD: 'tokencast',
        POSTGRES_DB: 'tokencast',
      })
      .withCommand(['postgres', '-c', 'max_connections=300', '-c', 'fsync=off'])
      .withExposedPorts(5432)
      .start();
    say('Redis and Postgres from Docker (redis:7-alpine, postgres:17-alpine)');
    return {
      redisUrl: `redis://${redis.getHost()}:${redis.getMappedPort(6379)}`,
      postgresUrl: `postgres://tokencast:tokencast@${postgres.getHost()}:${postgres.getMappedPort(5432)}/tokencast`,
      close: async () => {
        await Promise.all([redis.stop(), postgres.stop()]);
      },
    };
  } catch (error) {
    await redis.stop();
    throw error;
  }
}

async function startEmbedded(): Promise<Stores> {
  const dataDir = await temporaryDataDir();
  const log = createLogger({ level: 'silent', role: 'test' });
  const redis = onCluster ? await startClusterForTests() : await startEmbeddedRedis({ dataDir, log });
  const settings = { fsync: 'off', max_connections: '300' };
  const postgres = await startEmbeddedPostgres({ dataDir, log, settings }).catch(async (error: unknown) => {
    await redis.close();
    throw error;
  });
  say(`${onCluster ? '' : 'no Docker: '}Redis from ${redis.kind}, Postgres embedded`);
  return {
    redisUrl: redis.url,
    postgresUrl: postgres.url,
    close: async () => {
      await Promise.all([redis.close(), postgres.close()]);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function say(line: string): void {
  console.log(`Stores of the tests: ${line}`);
}
