import { Redis } from 'ioredis';
import postgres from 'postgres';
import { Person } from '../../test/support/person.js';
import { startSystem, type System, type SystemOptions } from '../../test/support/system.js';
import type { Stores } from '../part.js';
import { portOf } from './port-of.js';
import { RoomWriter } from './room-writer.js';

/** The product as it ships, running on the stores of a bench, and what a bench does with it. */
export interface Product {
  system: System;
  /** The process of the first api. */
  pid: number;
  port: number;
  /** Somebody who is signed in. */
  person: Person;
  /** Writes chunks as a worker does. */
  writer: RoomWriter;
  redis: Redis;
  /** Ends it, and leaves the stores empty. */
  stop: () => Promise<void>;
}

/** Starts the product; without workers unless options say so, as most benches write chunks themselves. */
export async function startProduct(
  { redisUrl, postgresUrl }: Stores,
  { env, ...options }: Omit<SystemOptions, 'redisUrl'> = {},
): Promise<Product> {
  const system = await startSystem({
    redisUrl,
    databaseUrl: postgresUrl,
    workers: 0,
    env: { LOG_LEVEL: 'warn', ...env },
    ...options,
  });
  const api = system.api();
  const writer = new RoomWriter(redisUrl, system.keyPrefix);
  const redis = new Redis(redisUrl);
  return {
    system,
    pid: api.pid ?? 0,
    port: portOf(api.url),
    person: await Person.signIn(api, 'Bench'),
    writer,
    redis,
    stop: async () => {
      writer.close();
      await system.stop();
      await emptyStores(redis, postgresUrl);
      redis.disconnect();
    },
  };
}

/** What was running would be taken over by the next product on these stores. */
async function emptyStores(redis: Redis, postgresUrl: string): Promise<void> {
  const sql = postgres(postgresUrl, { max: 1, onnotice: () => undefined });
  await sql`truncate users, conversations, documents, budgets, outbox cascade`;
  await sql.end();
  await redis.flushall();
}
