import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, chown, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { onFreePort } from '../lib/free-port.js';
import type { Logger } from '../lib/logger.js';
import { StartError } from '../lib/start-error.js';
import { readOrCreateSecret } from './data-dir.js';
import { isReachable, postgresBinaries, type PostgresBinaries, type RunAs } from './postgres-binaries.js';
import { ServerProcess } from './server-process.js';

export interface EmbeddedPostgres {
  pid: number;
  /** With user, password and database. */
  url: string;
  /** Where its data is: `postgres` below the data folder, unless its user cannot reach that. */
  dir: string;
  /** Resolves with a one-line error if it ends although nobody closed it. */
  crashed: Promise<StartError>;
  close(): Promise<void>;
}

interface EmbeddedPostgresOptions {
  /** Absolute, and claimed by this process. */
  dataDir: string;
  log: Logger;
  /** Default: a free one. */
  port?: number;
  /** Settings beside the usual, as in postgresql.conf. */
  settings?: Readonly<Record<string, string>>;
}

const user = 'tokencast';
const database = 'tokencast';

/** `nobody` on every Linux: the user in whose name a root user's Postgres runs, since Postgres refuses root. */
const nobody: RunAs = { uid: 65534, gid: 65534 };

/** Where a root user's data goes that `nobody` could not reach otherwise. */
const reachableHome = '/var/lib/tokencast';

/** Recovery after a crash is part of a start. */
const readyTimeoutMs = 120_000;
const leftoverTimeoutMs = 15_000;

/**
 * Starts a Postgres 18 for this process alone, with the data of the last start or with an empty database. It listens
 * on 127.0.0.1 only, asks for a password that is made once and kept beside the data, and is ready when this resolves.
 *
 * @throws {StartError} with the server's last words.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { dataDir, log } = options;
  const runAs = process.getuid?.() === 0 ? nobody : undefined;
  const home = await homeFor(dataDir, runAs, log);
  const binaries = await postgresBinaries({ runAs, copyTo: home === dataDir ? dataDir : reachableHome, log });
  const dir = join(home, 'postgres');
  const password = await readOrCreateSecret(home, 'postgres-password');
  if (!(await exists(dir))) await initialise({ binaries, dir, password, runAs });
  await stopLeftover(dir, log);

  const launch = async (port: number): Promise<EmbeddedPostgres> => {
    const settings = {
      listen_addresses: '127.0.0.1',
      port: String(port),
      unix_socket_directories: '',
      max_connections: '200',
      timezone: 'UTC',
      ...options.settings,
    };
    const server = await ServerProcess.spawn({
      name: 'The embedded Postgres',
      command: binaries.postgres,
      args: ['-D', dir, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      // Fast shutdown: clients are told to go, what is committed is written.
      stopSignal: 'SIGINT',
      env: childEnv(),
      log,
      ...runAs,
    });
    const url = (name: string) => `postgres://${user}:${password}@127.0.0.1:${port}/${name}`;
    await server.ready((signal) => untilDatabase(url('postgres'), signal), readyTimeoutMs);
    return { pid: server.pid, url: url(database), dir, crashed: server.crashed, close: () => server.stop() };
  };
  return options.port === undefined ? onFreePort(launch) : launch(options.port);
}

/** The folder that holds the data: the data folder itself, if the user that Postgres runs as can reach it. */
async function homeFor(dataDir: string, runAs: RunAs | undefined, log: Logger): Promise<string> {
  if (!runAs || (await isReachable(dataDir, runAs))) return dataDir;
  const home = join(reachableHome, createHash('sha256').update(dataDir).digest('hex').slice(0, 12));
  log.info(
    `Postgres does not run as root, and user ${runAs.uid} cannot reach ${dataDir}: its data is kept in ${home}`,
  );
  try {
    await mkdir(home, { recursive: true, mode: 0o711 });
  } catch (error) {
    throw new StartError(
      `Postgres does not run as root, and neither ${dataDir} nor ${reachableHome} can be used by another user: run as an ordinary user, or set DATABASE_URL`,
      { cause: error },
    );
  }
  return home;
}

interface NewCluster {
  binaries: PostgresBinaries;
  dir: string;
  password: string;
  runAs: RunAs | undefined;
}

/** Makes the data folder; one whose making was broken off is never taken for whole. */
async function initialise({ binaries, dir, password, runAs }: NewCluster): Promise<void> {
  const draft = `${dir}.new`;
  const secrets = await mkdtemp(join(tmpdir(), 'tokencast-'));
  const passwordFile = join(secrets, 'password');
  try {
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { mode: 0o700 });
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (runAs) for (const path of [draft, secrets, passwordFile]) await chown(path, runAs.uid, runAs.gid);
    const args = [
      ['--pgdata', draft],
      ['--username', user],
      ['--pwfile', passwordFile],
      ['--auth', 'scram-sha-256'],
      ['--encoding', 'UTF8'],
      // The same order and case rules on every system.
      ['--locale-provider', 'builtin'],
      ['--builtin-locale', 'C.UTF-8'],
      ['--locale', 'C'],
    ].flat();
    await promisify(execFile)(binaries.initdb, args, { cwd: '/', env: childEnv(), ...runAs });
    await rename(draft, dir);
  } catch (error) {
    const words = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    const last = words.trim().split('\n').slice(-2).join(' | ');
    throw new StartError(`The embedded Postgres could not make its data folder ${dir}: ${last}`, {
      cause: error,
    });
  } finally {
    await rm(secrets, { recursive: true, force: true });
  }
}

/** Messages in English, since we read them; no `PG…` variable of the caller's own Postgres. */
function childEnv(): NodeJS.ProcessEnv {
  const env = Object.entries(process.env).filter(([name]) => !/^(PG|LC_|LANG)/.test(name));
  return { ...Object.fromEntries(env), LC_ALL: 'C' };
}

/** Who has taken the port before ours does not know its password: for so long it may be that ours is about to end. */
const strangerMs = 2000;

/** Resolves when connections are taken and our database is there. */
async function untilDatabase(url: string, signal: AbortSignal): Promise<void> {
  const begunAt = performance.now();
  for (;;) {
    signal.throwIfAborted();
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 });
    client.on('error', () => undefined); // the query under way fails with it
    try {
      await client.connect();
      const found = await client.query('select 1 from pg_database where datname = $1', [database]);
      if (found.rowCount === 0) await client.query(`create database ${client.escapeIdentifier(database)}`);
      return;
    } catch (error) {
      const maybeStranger = isWrongPassword(error) && performance.now() - begunAt < strangerMs;
      if (!maybeStranger && !isNotYet(error)) throw error;
      await sleep(20, undefined, { signal });
    } finally {
      await client.end();
    }
  }
}

/** Whether a connection failed because the server is still starting (SQLSTATE 57P03) or does not listen yet. */
const isNotYet = (error: unknown): boolean =>
  error instanceof Error &&
  ('code' in error
    ? ['57P03', 'ECONNREFUSED', 'ECONNRESET'].includes(String(error.code))
    : /terminated|timeout/i.test(error.message));

const isWrongPassword = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === '28P01';

/**
 * Ends the server that an earlier holder of the data folder, killed, has left behind. Where its process id belongs to
 * another program by now, the file that names it goes: Postgres would refuse to start.
 */
async function stopLeftover(dir: string, log: Logger): Promise<void> {
  const pidFile = join(dir, 'postmaster.pid');
  const pid = Number((await readFile(pidFile, 'utf8').catch(() => '')).split('\n')[0]);
  if (!pid) return;
  const deadline = Date.now() + leftoverTimeoutMs;
  for (let told = false; ; told = true) {
    const command = await commandOf(pid);
    if (command === undefined) return;
    if (!command.includes('postgres') || !command.includes(dir)) return rm(pidFile, { force: true });
    if (!told) {
      log.info('stopping the Postgres that an earlier start left behind');
      process.kill(pid, 'SIGINT');
    }
    if (Date.now() > deadline) {
      throw new StartError(
        `The Postgres of an earlier start (process ${pid}) still runs on ${dir} and does not stop: end it with kill -QUIT ${pid}`,
      );
    }
    await sleep(50);
  }
}

/** The command line of a process, empty for one that is dead but not buried; undefined: there is none, or no telling. */
async function commandOf(pid: number): Promise<string | undefined> {
  try {
    process.kill(pid, 0);
  } catch {
    return undefined;
  }
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
  } catch {
    const listed = await promisify(execFile)('ps', ['-o', 'args=', '-p', String(pid)]).catch(() => undefined);
    return listed?.stdout;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
