import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import postgres from 'postgres';
import type { Stores } from '../part.js';

/** Keeps a process, and what it starts from now on, on one core, or on several (`0,1`). */
export function pin(pid: number | undefined, core: number | string): void {
  if (pid === undefined) throw new Error('the process has not been started');
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(core), String(pid)], {
    stdio: 'ignore',
  });
}

/** Keeps the stores, which run on this machine, on one core. */
export async function pinStores({ redisUrl, postgresUrl }: Stores, core: number): Promise<void> {
  const redis = new Redis(redisUrl);
  const sql = postgres(postgresUrl, { max: 1 });
  try {
    pin(Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]), core);
    const [backend] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
    const status = readFileSync(`/proc/${backend?.pid ?? 0}/status`, 'utf8');
    pin(Number(/PPid:\s+(\d+)/.exec(status)?.[1]), core);
  } finally {
    redis.disconnect();
    await sql.end();
  }
}
