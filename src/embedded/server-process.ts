import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Logger } from '../lib/logger.js';
import { StartError } from '../lib/start-error.js';

interface ServerCommand {
  /** As people call it, in messages. */
  name: string;
  command: string;
  args: readonly string[];
  /** Ends the server in good order. */
  stopSignal: NodeJS.Signals;
  uid?: number;
  gid?: number;
  env?: NodeJS.ProcessEnv;
  log: Logger;
}

/** How long a server may take to end in good order before it is killed, in milliseconds. */
const stopTimeoutMs = 8000;

/** How many of its last lines a server that failed is quoted from. */
const keptLines = 40;

/**
 * A server that runs for us alone, as a child process. It stands in a process group of its own, so that the terminal's
 * Ctrl-C does not reach it before we have closed, and it does not outlive us, not even after `kill -9`.
 */
export class ServerProcess {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #stopSignal: NodeJS.Signals;
  readonly #lines: string[] = [];
  readonly #onLine = new Set<(line: string) => void>();
  /** Resolves when the process has ended and its output is read. */
  readonly #ended: Promise<void>;
  #stopping = false;

  private constructor(child: ChildProcess, pid: number, { name, stopSignal, log }: ServerCommand) {
    this.pid = pid;
    this.#child = child;
    this.#name = name;
    this.#stopSignal = stopSignal;
    const watchdog = watch(pid, stopSignal);
    for (const output of [child.stdout, child.stderr]) this.#read(output, log);
    // A server that ends closes its end of this pipe.
    child.stdin?.on('error', () => undefined);
    this.#ended = once(child, 'close').then(() => {
      watchdog?.kill('SIGKILL');
    });
  }

  /** @throws {StartError} if the program cannot be run. */
  static async spawn(command: ServerCommand): Promise<ServerProcess> {
    const { uid, gid, env = process.env } = command;
    const child = spawn(command.command, command.args, {
      detached: true,
      stdio: 'pipe',
      cwd: '/',
      env,
      uid,
      gid,
    });
    try {
      await once(child, 'spawn');
    } catch (error) {
      throw cannotRun(command, error);
    }
    if (child.pid === undefined) throw cannotRun(command, 'it has no process id');
    return new ServerProcess(child, child.pid, command);
  }

  /** Resolves with a one-line error if the server ends although nobody stopped it; else never. */
  get crashed(): Promise<StartError> {
    return this.#ended.then(() =>
      this.#stopping ? new Promise<never>(() => undefined) : this.#failure('has ended'),
    );
  }

  /** Resolves when it has said this line; else never. */
  said(line: string): Promise<void> {
    return new Promise((resolve) => {
      const hear = (said: string) => {
        if (said === line) resolve();
      };
      this.#onLine.add(hear);
      this.#lines.forEach(hear);
    });
  }

  /**
   * Waits for the probe to succeed; its signal tells it to free what it holds.
   *
   * @throws {StartError} with the server's last words if it ends first or takes longer than `timeoutMs`; then stopped.
   */
  async ready(probe: (signal: AbortSignal) => Promise<void>, timeoutMs: number): Promise<void> {
    const giveUp = new AbortController();
    const givenUp = once(giveUp.signal, 'abort').then(() =>
      Promise.reject(giveUp.signal.reason as StartError),
    );
    const timer = setTimeout(() => {
      giveUp.abort(this.#failure(`was not ready after ${timeoutMs / 1000} s`));
    }, timeoutMs);
    void this.#ended.then(() => {
      giveUp.abort(this.#failure('did not start'));
    });
    try {
      await Promise.race([probe(giveUp.signal), givenUp]);
    } catch (error) {
      await this.stop();
      throw giveUp.signal.aborted ? giveUp.signal.reason : error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the server in good order, or with force where that takes too long. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#child.kill(this.#stopSignal);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), stopTimeoutMs);
    await this.#ended;
    clearTimeout(timer);
  }

  #read(output: Readable | null, log: Logger): void {
    if (!output) return;
    createInterface({ input: output }).on('line', (line) => {
      log.debug({ server: this.#name }, line);
      for (const hear of this.#onLine) hear(line);
      this.#lines.push(line);
      if (this.#lines.length > keptLines) this.#lines.shift();
    });
  }

  #failure(what: string): StartError {
    const telling = this.#lines.filter((line) =>
      /fatal|error|in use|can't|cannot|could not|bad file/i.test(line),
    );
    // Of a port in use Postgres speaks in three.
    const last = (telling.length ? telling : this.#lines).slice(-3).join(' | ').trim();
    return new StartError(`${this.#name} ${what}${last && `: ${last}`}`);
  }
}

const cannotRun = ({ name, command }: ServerCommand, error: unknown) =>
  new StartError(`${name} (${command}) cannot be run: ${String(error)}`, { cause: error });

/**
 * Stops the child when this process has died without doing so: a shell that waits for the end of a pipe of which only
 * we hold the other end. Not on Windows, where a leftover is found at the next start.
 */
function watch(pid: number, signal: NodeJS.Signals): ChildProcess | undefined {
  if (process.platform === 'win32') return undefined;
  const script = 'trap "" INT TERM HUP; read -r _; kill -s "$1" "$2"';
  const watchdog = spawn('/bin/sh', ['-c', script, 'watchdog', signal.slice(3), String(pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
  });
  // Without a shell there is no watchdog, and again the next start finds what is left.
  watchdog.on('error', () => undefined);
  watchdog.stdin.on('error', () => undefined);
  watchdog.unref();
  return watchdog;
}
