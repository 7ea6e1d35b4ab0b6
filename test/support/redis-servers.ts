import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis, type RedisOptions } from 'ioredis';
import { ServerProcess } from '../../src/embedded/server-process.js';
import { createLogger } from '../../src/lib/logger.js';
import { ownPort } from './own-port.js';
import { temporaryDataDir } from './temporary-data-dir.js';

const log = createLogger({ level: 'silent', role: 'test' });

/** Several Redis servers together: `redis-server` of the PATH is needed. */

/** Parameters as in redis.conf; one that comes several times has several values. */
type Settings = Record<string, string | string[]>;

interface ServerOptions {
  /** Keys and certificates of the client that looks after the server. */
  connection?: RedisOptions;
  sentinel?: boolean;
}

/** One server of a test's own. Its address and its data stay when it is killed and started again. */
export class RedisServer {
  #process: ServerProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly dir: string,
    private readonly options: ServerOptions,
  ) {}

  static async start(
    settings: (port: number) => Settings,
    options: ServerOptions = {},
  ): Promise<RedisServer> {
    const [port, dir] = await Promise.all([ownPort(), temporaryDataDir()]);
    const lines = Object.entries({ bind: '127.0.0.1', port: String(port), dir, ...settings(port) }).flatMap(
      ([name, values]) => [values].flat().map((value) => `${name} ${value || '""'}\n`),
    );
    await writeFile(join(dir, 'redis.conf'), lines.join(''));
    const server = new RedisServer(port, dir, options);
    await server.start();
    return server;
  }

  async start(): Promise<void> {
    const server = await ServerProcess.spawn({
      name: 'A Redis of the test',
      command: 'redis-server',
      args: [join(this.dir, 'redis.conf'), ...(this.options.sentinel ? ['--sentinel'] : [])],
      stopSignal: 'SIGTERM',
      log,
    });
    // Its client waits until the server has read its file.
    await server.ready(async () => {
      await this.ask((redis) => redis.ping());
    }, 10_000);
    this.#process = server;
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    const server = this.#process;
    if (!server) return;
    this.#process = undefined;
    process.kill(server.pid, 'SIGKILL');
    await server.stop();
  }

  async dispose(): Promise<void> {
    await this.kill();
    await rm(this.dir, { recursive: true, force: true });
  }

  async ask<T>(question: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis({
      port: this.port,
      host: '127.0.0.1',
      maxRetriesPerRequest: null,
      retryStrategy: () => 20,
      ...this.options.connection,
    });
    redis.on('error', () => undefined);
    try {
      return await question(redis);
    } finally {
      redis.disconnect();
    }
  }
}

export interface RedisCluster {
  /** As `REDIS_URL`. */
  url: string;
  nodes: RedisServer[];
  dispose(): Promise<void>;
}

/** A master with a replica, and a Sentinel that lets the replica take over. */
export async function startRedisWithSentinel(): Promise<RedisCluster> {
  const master = await RedisServer.start(() => ({ save: '', appendonly: 'yes' }));
  const replica = await RedisServer.start(() => ({
    save: '',
    appendonly: 'yes',
    replicaof: `127.0.0.1 ${master.port}`,
  }));
  await eventually(async () =>
    (await replica.ask((redis) => redis.info('replication'))).includes('master_link_status:up'),
  );
  const name = 'the-master';
  const sentinel = await RedisServer.start(
    () => ({
      sentinel: [
        `monitor ${name} 127.0.0.1 ${master.port} 1`,
        `down-after-milliseconds ${name} 1000`,
        `failover-timeout ${name} 5000`,
      ],
    }),
    { sentinel: true },
  );
  const nodes = [master, replica, sentinel];
  await eventually(async () => (await sentinel.ask((redis) => redis.info('sentinel'))).includes('slaves=1'));
  return {
    url: `redis-sentinel://127.0.0.1:${sentinel.port}/${name}`,
    nodes,
    dispose: async () => {
      await Promise.all(nodes.map((node) => node.dispose()));
    },
  };
}

const slots = 16_384;

/** A Redis Cluster of three masters; with `replica` the first of them has one that takes over from it. */
export async function startRedisCluster({ replica = false } = {}): Promise<RedisCluster> {
  const busPort = await ownPort();
  const ports = [busPort, await ownPort(), await ownPort(), await ownPort()];
  const nodes = await Promise.all(
    ports.slice(0, replica ? 4 : 3).map((bus) =>
      RedisServer.start(() => ({
        save: '',
        appendonly: 'yes',
        'cluster-enabled': 'yes',
        'cluster-port': String(bus),
        'cluster-node-timeout': '1000',
      })),
    ),
  );
  const dispose = async () => {
    await Promise.all(nodes.map((node) => node.dispose()));
  };
  try {
    const masters = nodes.slice(0, 3);
    await Promise.all(
      masters.map((node, i) => {
        const from = Math.floor((slots * i) / masters.length);
        const to = Math.floor((slots * (i + 1)) / masters.length) - 1;
        return node.ask((redis) => redis.cluster('ADDSLOTSRANGE', from, to));
      }),
    );
    const [first, ...others] = nodes;
    await first?.ask((redis) =>
      Promise.all(
        others.map(({ port }, i) => redis.call('CLUSTER', 'MEET', '127.0.0.1', port, ports[i + 1] ?? 0)),
      ),
    );
    const [, , , standIn] = nodes;
    if (first && standIn) {
      const id = await first.ask((redis) => redis.cluster('MYID'));
      await eventually(() =>
        standIn
          .ask((redis) => redis.cluster('REPLICATE', id))
          .then(
            () => true,
            () => false,
          ),
      );
      await eventually(async () =>
        (await standIn.ask((redis) => redis.info('replication'))).includes('master_link_status:up'),
      );
    }
    await Promise.all(nodes.map(clusterIsOk));
    return { url: `redis-cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join()}`, nodes, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Resolves when the node sees all slots served. */
export const clusterIsOk = (node: RedisServer): Promise<void> =>
  eventually(async () => (await node.ask((redis) => redis.cluster('INFO'))).includes('cluster_state:ok'));

async function eventually(look: () => Promise<boolean>): Promise<void> {
  while (!(await look())) await sleep(50);
}
