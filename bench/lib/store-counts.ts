import type { Redis } from 'ioredis';
import type { Sql } from 'postgres';

/** How often Redis has run each command so far, those of scripts included. */
export async function redisCalls(redis: Redis): Promise<Map<string, number>> {
  const lines = (await redis.info('commandstats')).split('\r\n');
  return new Map(
    lines.flatMap((line) => {
      const [, command, calls] = /^cmdstat_([^:]+):calls=(\d+)/.exec(line) ?? [];
      return command === undefined ? [] : [[command, Number(calls)]];
    }),
  );
}

/** Transactions of the database so far, single statements included; told with a delay of up to a second. */
export async function transactionsOf(sql: Sql): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select (xact_commit + xact_rollback)::int as count from pg_stat_database where datname = current_database()`;
  return row?.count ?? NaN;
}
