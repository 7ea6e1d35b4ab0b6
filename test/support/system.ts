import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { ownPort } from './own-port.js';
import { createTestDatabase, testKeyPrefix, testRedisUrl } from './stores.js';
import { temporaryDataDir } from './temporary-data-dir.js';
import type { Upstream } from './upstream.js';

export interface SystemOptions {
  /** Processes of each role; 1 by default. */
  apis?: number;
  workers?: number;
  /** Settings of every process, on top of those that give the tests room. */
  env?: Record<string, string>;
  /** Stands for Anthropic, and is then the default model; else the demo model answers. */
  upstream?: Pick<Upstream, 'url'>;
  /** For Node, of every process of a role: `--cpu-prof` say, which writes at an orderly end. */
  nodeArgs?: Partial<Record<Role, readonly string[]>>;
  /** Stores of the test's own; else the run's Redis and a new database. */
  redisUrl?: string;
  databaseUrl?: string;
}

/** The product as it is run: processes of the built program, over the run's stores, apart from all other tests. */
export interface System {
  readonly apis: readonly SystemProcess[];
  readonly workers: readonly SystemProcess[];
  readonly redisUrl: string;
  readonly databaseUrl: string;
  /** `REDIS_KEY_PREFIX`. */
  readonly keyPrefix: string;
  api(index?: number): SystemProcess;
  worker(index?: number): SystemProcess;
  /** One more process, with settings of its own; ready when this resolves. */
  add(role: Role, env?: Record<string, string>): Promise<SystemProcess>;
  /** Makes somebody a member of a conversation. */
  addMember(conversationId: string, userId: string, role?: 'member' | 'viewer'): Promise<void>;
  /** Ends all processes at once and drops the database. */
  stop(): Promise<void>;
}

type Role = 'api' | 'worker';

const programs: Record<Role, string> = { api: 'dist/src/main-api.js', worker: 'dist/workers/main.js' };
const root = fileURLToPath(new URL('../../', import.meta.url));
const readyWithinMs = 30_000;

/** Ends a process whose parent is gone, however that ended. */
const dieWithParent =
  "--import=data:text/javascript,process.once('disconnect',()=>process.exit());process.channel.unref()";

const alive = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** Starts processes of both roles and waits until they are ready. Needs the build (`npm run build:server`). */
export async function startSystem({
  apis = 1,
  workers = 1,
  env = {},
  upstream,
  nodeArgs = {},
  redisUrl = testRedisUrl(),
  databaseUrl,
}: SystemOptions = {}): Promise<System> {
  const database = databaseUrl === undefined ? await createTestDatabase() : { url: databaseUrl };
  const keyPrefix = testKeyPrefix();
  const dataDir = await temporaryDataDir();
  const shared: Record<string, string> = {
    PATH: process.env.PATH ?? '',
    REDIS_URL: redisUrl,
    DATABASE_URL: database.url,
    DATA_DIR: dataDir,
    REDIS_KEY_PREFIX: keyPrefix,
    AUTH_SECRET: 'a secret of the tests, of more than 32 bytes',
    USER_MESSAGES_PER_MINUTE: '1000000',
    SESSIONS_PER_HOUR_PER_IP: '1000000',
    DEMO_TOKENS_PER_SECOND: '500',
    ...(upstream && {
      ANTHROPIC_API_KEY: 'test',
      ANTHROPIC_BASE_URL: upstream.url,
      DEFAULT_MODEL: 'claude-sonnet-4-5',
    }),
    ...env,
  };
  const running: Record<Role, SystemProcess[]> = { api: [], worker: [] };
  const add = async (role: Role, own: Record<string, string> = {}) => {
    const added = new SystemProcess(role, { ...shared, ...own }, await ownPort(), nodeArgs[role]);
    running[role].push(added);
    await added.start();
    return added;
  };
  const stop = async () => {
    await Promise.all([...running.api, ...running.worker].map((each) => each.end()));
    if ('dispose' in database) await database.dispose();
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    await Promise.all([
      ...Array.from({ length: apis }, () => add('api')),
      ...Array.from({ length: workers }, () => add('worker')),
    ]);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    apis: running.api,
    workers: running.worker,
    redisUrl,
    databaseUrl: database.url,
    keyPrefix,
    api: (index = 0) => one(running.api, index),
    worker: (index = 0) => one(running.worker, index),
    add,
    addMember: async (conversationId, userId, role = 'member') => {
      const sql = postgres(database.url, { max: 1 });
      try {
        await sql`insert into members (conversation_id, user_id, role) values (${conversationId}, ${userId}, ${role})`;
      } finally {
        await sql.end();
      }
    },
    stop,
  };
}

function one(processes: readonly SystemProcess[], index: number): SystemProcess {
  const found = processes[index];
  if (!found) throw new Error(`there is no process ${index}`);
  return found;
}

/** One process of the system. Its address stays when it is started again. */
export class SystemProcess {
  /** Where its HTTP answers: of a worker its health alone. */
  readonly url: string;
  /** What it has said, line by line, on both streams. */
  readonly output: string[] = [];
  #child: ChildProcess | undefined;

  constructor(
    private readonly role: Role,
    private readonly env: Record<string, string>,
    port: number,
    private readonly nodeArgs: readonly string[] = [],
  ) {
    this.url = `http://127.0.0.1:${port}`;
    this.env = { ...env, [role === 'api' ? 'PORT' : 'WORKER_PORT']: String(port) };
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves with the exit code, null after a signal, once the process has ended. */
  async exited(): Promise<number | null> {
    const child = this.#child;
    if (!child) return null;
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    return child.exitCode;
  }

  /** Starts it, again if it has ended. Resolves once `/readyz` says so; fails with its last words. */
  async start(): Promise<void> {
    const program = `${root}${programs[this.role]}`;
    if (!existsSync(program)) throw new Error(`${program} is missing: npm run build:server`);
    const child = spawn(
      process.execPath,
      ['--enable-source-maps', ...this.nodeArgs, dieWithParent, program],
      {
        cwd: root,
        env: this.env,
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      },
    );
    this.#child = child;
    alive.add(child);
    child.once('exit', () => alive.delete(child));
    for (const stream of [child.stdout, child.stderr])
      if (stream) createInterface(stream).on('line', (line) => this.output.push(line));
    const deadline = Date.now() + readyWithinMs;
    while (!(await this.#ready())) {
      if (child.exitCode === null && child.signalCode === null && Date.now() < deadline) await sleep(25);
      else throw new Error(`the ${this.role} did not get ready:\n${this.output.slice(-20).join('\n')}`);
    }
  }

  /** Sends a signal: SIGKILL and SIGTERM to end it (see {@link exited}), SIGSTOP and SIGCONT to let it hang. */
  kill(signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT' | 'SIGUSR2'): void {
    this.#child?.kill(signal);
  }

  /** Ends it at once, whatever it does. */
  async end(): Promise<void> {
    this.kill('SIGKILL');
    await this.exited();
  }

  async #ready(): Promise<boolean> {
    try {
      const { ok, body } = await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(2000) });
      await body?.cancel();
      return ok;
    } catch {
      return false;
    }
  }
}
