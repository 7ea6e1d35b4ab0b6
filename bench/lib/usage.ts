import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import type { Sql } from 'postgres';

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK']));
const pageBytes = Number(execFileSync('getconf', ['PAGESIZE']));

/** What proc(5) tells of a process, from its state on. */
const statOf = (pid: number | string) =>
  readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');

/** Processor time of a process so far, in microseconds. */
export function cpuUsOf(pid: number | string): number {
  const fields = statOf(pid);
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / ticksPerSecond;
}

/** Processor time of Postgres so far, in microseconds: of all its processes that are still there. */
export async function cpuUsOfPostgres(sql: Sql): Promise<number> {
  const [row] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
  const parent = statOf(row?.pid ?? 0)[1];
  const ours = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === parent);
  return ours.reduce((sum, pid) => sum + cpuUsOf(pid), 0);
}

/** Undefined: it has just ended. */
function parentOf(pid: string): string | undefined {
  try {
    return statOf(pid)[1];
  } catch {
    return undefined;
  }
}

/** Processor time of Redis so far, in microseconds. */
export async function cpuUsOfRedis(redis: Redis): Promise<number> {
  const info = await redis.info('cpu');
  const seconds = (name: string) => Number(new RegExp(`${name}:([\\d.]+)`).exec(info)?.[1]);
  return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1e6;
}

/** How often each command of Redis was called so far, in scripts too. */
export async function callsOfRedis(redis: Redis): Promise<Map<string, number>> {
  const info = await redis.info('commandstats');
  return new Map(
    [...info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(([, name = '', calls]) => [name, Number(calls)]),
  );
}

/** Resident memory of a process, in bytes (proc(5)). */
export function memoryOf(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
  return pages * pageBytes;
}
