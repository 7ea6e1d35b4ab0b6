import { fileURLToPath } from 'node:url';
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';

export type Database = NodePgDatabase;
/** A transaction, where the caller must be in one. */
export type Transaction = Parameters<Parameters<Database['transaction']>[0]>[0];
/** Either: what repositories take. */
export type Executor = Database | Transaction;

/** Reads of Postgres at one instant: what others commit between two of them is in none. */
export const atOneInstant = <T>(db: Database, read: (tx: Transaction) => Promise<T>): Promise<T> =>
  db.transaction(read, { isolationLevel: 'repeatable read', accessMode: 'read only' });

export interface Store {
  db: Database;
  /** Throws when Postgres does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

interface StoreOptions {
  url: string;
  /** Connections of this process. */
  maxConnections: number;
}

/** How often a connection is asked whether it lives, and how long it may take to answer. */
const heartbeatMs = 2000;

/**
 * A pool of connections. Statements fail after 10 s, waiting for a lock after 5 s, for a connection after 10 s; whoever
 * must know earlier asks {@link Store.ping}.
 */
export function openStore({ url, maxConnections }: StoreOptions): Store {
  // 12 s: for connections that have died without a word, since Postgres itself would have answered by then.
  const pool = openPool(url, { max: maxConnections, query_timeout: 12_000 });
  // Of its own, so that a busy pool does not pass for a Postgres that is away.
  const pinger = openPool(url, { max: 1, query_timeout: heartbeatMs });
  const heartbeat = setInterval(() => {
    pinger.query('select 1').catch((error: unknown) => {
      if (isReadTimeout(error)) dropIdle(pool);
    });
  }, heartbeatMs).unref();
  const db = drizzle(pool);
  // Drizzle's own keeps the connection for ever when its BEGIN fails, as it does on one that Postgres has just left.
  db.transaction = async (run, config) => {
    const client = await pool.connect();
    let silent = false;
    try {
      return await drizzle(client).transaction(run, config);
    } catch (error) {
      silent = isReadTimeout(error);
      throw error;
    } finally {
      client.release(silent); // one that is broken is dropped by the pool itself
    }
  };
  return {
    db,
    ping: async () => {
      await pinger.query('select 1');
    },
    close: async () => {
      clearInterval(heartbeat);
      await Promise.all([pool.end(), pinger.end()]);
    },
  };
}

function openPool(connectionString: string, limits: Pick<pg.PoolConfig, 'max' | 'query_timeout'>): pg.Pool {
  const pool = new pg.Pool({
    connectionString,
    ...limits,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 300_000,
    maxLifetimeSeconds: 3600,
    keepAlive: true,
    application_name: 'tokencast',
    statement_timeout: 10_000,
    // What waits longer for its turn in a conversation is refused as unavailable.
    lock_timeout: 5000,
    // A process that hangs, or whose connection has died, keeps its locks no longer.
    idle_in_transaction_session_timeout: 10_000,
  });
  // What breaks a connection also fails its query; without listeners it would end the process as well.
  const ignore = () => undefined;
  pool.on('error', ignore);
  pool.on('connect', (client) => client.on('error', ignore));
  return pool;
}

/** Lets go of the connections that rest: they have died as another one has. Those in use find out by themselves. */
function dropIdle(pool: pg.Pool): void {
  for (let left = pool.idleCount; left > 0; left -= 1)
    pool.connect().then(
      (client) => {
        client.release(true);
      },
      () => undefined,
    );
}

/** Whether a query was given up because nothing came back: its connection is of no use to the next one. */
function isReadTimeout(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.message === 'Query read timeout' || isReadTimeout(error.cause);
}

/** An arbitrary number that all processes agree on: the lock around the migrations. */
const migrationLock = 7_263_001;

/** Brings the schema up to date; safe when several processes start at once. */
export async function migrateDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [migrationLock]);
    await migrate(drizzle(client), {
      migrationsFolder: fileURLToPath(new URL('./migrations', import.meta.url)),
    });
  } finally {
    await client.end();
  }
}
