import { fileURLToPath } from 'node:url';
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';
import { rootCause } from '../lib/root-cause.js';
import { together } from '../lib/together.js';
import { JoiningSocket } from './joining-socket.js';
import { PreparingClient } from './preparing-client.js';

/** A transaction, where the caller must be in one. */
export type Transaction = Omit<NodePgDatabase, 'transaction'> & { readonly inTransaction: true };

export interface Database extends Omit<NodePgDatabase, 'transaction'> {
  /**
   * Runs statements in a transaction, which is rolled back where `run` throws (see docs/decisions/0008).
   *
   * Statements that are begun before others have been awaited go to Postgres together, in one round trip, and are run one
   * after the other: what reads behind a lock sees what the lock has waited for. BEGIN goes with the first of them.
   * (Those that are sent so begin as they are called, by `execute()`: a builder that is awaited begins a turn later.)
   */
  transaction<T>(run: (tx: Transaction) => Promise<T>, options?: TransactionOptions<T>): Promise<T>;
}

interface TransactionOptions<T> {
  /** As BEGIN takes it. */
  mode?: 'isolation level repeatable read read only';
  /**
   * Begins its last statements, as it is called: COMMIT goes with them, and rolls back where one fails. Where one fails
   * before it is sent, this is to fail at once, and there is no COMMIT.
   */
  closing?: (tx: Transaction, result: T) => Promise<unknown>;
  /**
   * Begins a look at what is there once its locks are free, as it is called: it goes with COMMIT. Where it fails so does the
   * whole, though it is committed: for what may be done again.
   */
  behind?: (db: Executor, result: T) => Promise<unknown>;
}

/** Either: what repositories take. */
export type Executor = Database | Transaction;

/** Reads of Postgres at one instant: what others commit between two of them is in none. */
export const atOneInstant = <T>(db: Database, read: (tx: Transaction) => Promise<T>): Promise<T> =>
  db.transaction(read, { mode: 'isolation level repeatable read read only' });

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
  const db = Object.assign(drizzle(pool), {
    transaction: <T>(run: (tx: Transaction) => Promise<T>, options: TransactionOptions<T> = {}) =>
      transaction(pool, run, options),
  });
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

/**
 * Not drizzle's own: that one waits for BEGIN and COMMIT apart, and keeps the connection for ever when its BEGIN fails, as
 * it does on one that Postgres has just left.
 */
async function transaction<T>(
  pool: pg.Pool,
  run: (tx: Transaction) => Promise<T>,
  { mode, closing, behind }: TransactionOptions<T>,
): Promise<T> {
  const client = (await pool.connect()) as PoolClient;
  client.firstFailure = undefined;
  let broken = false;
  try {
    const tx = transactionOf(client);
    // Where it fails, what goes with it is committed by itself: so it must not depend on what Postgres remembers.
    const begun = client.queryUnnamed(mode ? `begin ${mode}` : 'begin');
    begun.catch(() => undefined);
    const result = await run(tx);
    await begun; // nothing more is written where it has failed
    let refused = false;
    const look = async () => behind?.(tx, result);
    // Behind all that closing begins, and in one write with it; not where that fails before it comes to Postgres.
    const ended = new Promise((resolve) => {
      process.nextTick(() => {
        resolve(refused || together([commit(client), look()]));
      });
    });
    const close = async () => closing?.(tx, result);
    const closed = close().catch((error: unknown) => {
      refused = true;
      throw error;
    });
    await together([begun, closed, ended]);
    return result;
  } catch (error) {
    const reason = isConsequence(error) ? (client.firstFailure ?? error) : error;
    const isUnfit = unfitStates.has(stateOf(client.firstFailure));
    broken = await client.queryUnnamed('rollback').then(
      () => isUnfit,
      () => true,
    );
    throw reason;
  } finally {
    client.release(broken);
  }
}

/** As the pool makes them. */
type PoolClient = pg.PoolClient & Pick<PreparingClient, 'firstFailure' | 'queryUnnamed'>;

/** COMMIT has rolled back. */
class RolledBackError extends Error {
  constructor() {
    super('Postgres has rolled the transaction back.');
  }
}

/** What was refused makes a ROLLBACK of it, which does not fail by itself. */
async function commit(client: PoolClient): Promise<void> {
  const { command } = await client.queryUnnamed('commit');
  if (command !== 'COMMIT') throw new RolledBackError();
}

/** SQLSTATEs by which a connection has statements that can never be run again: unknown, of a changed table, there twice. */
const unfitStates = new Set(['26000', '0A000', '42P05']);
const inFailedTransaction = '25P02';

/** The SQLSTATE of a failure; empty: it has none. */
function stateOf(error: unknown): string {
  const cause = rootCause(error);
  return cause instanceof pg.DatabaseError ? (cause.code ?? '') : '';
}

/** Whether something failed only because something else had failed before. */
const isConsequence = (error: unknown): boolean =>
  error instanceof RolledBackError || stateOf(error) === inFailedTransaction;

const transactions = new WeakMap<pg.PoolClient, Transaction>();

/** The same for each connection: it remembers how columns are called. */
function transactionOf(client: pg.PoolClient): Transaction {
  const known = transactions.get(client);
  if (known) return known;
  const made = Object.assign(drizzle(client), { inTransaction: true as const });
  transactions.set(client, made);
  return made;
}

function openPool(connectionString: string, limits: Pick<pg.PoolConfig, 'max' | 'query_timeout'>): pg.Pool {
  const pool = new pg.Pool({
    connectionString,
    ...limits,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 300_000,
    maxLifetimeSeconds: 3600,
    keepAlive: true,
    // Statements that are begun together go together, and nobody waits between them.
    pipeline: true,
    stream: () => new JoiningSocket(),
    Client: PreparingClient,
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
