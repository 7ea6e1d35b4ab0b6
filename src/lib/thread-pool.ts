import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { ThreadMessage } from './in-thread.js';
import { linkAbort } from './link-abort.js';

/** The work took longer than it may, or needed more memory. Its thread is gone. */
export class ThreadLimitError extends Error {
  override readonly name = 'ThreadLimitError';
}

interface ThreadTask {
  /** The module whose default export, made by `inThread`, does the work: `./name-thread.js`, also from TypeScript. */
  file: URL;
  /** Handed to it by structured clone. */
  data: unknown;
  /** How long the work itself may take. */
  timeoutMs: number;
  signal?: AbortSignal;
}

const maxThreads = 2;
const maxHeapMb = 256;
/** How long work may wait for a thread. */
const maxWaitMs = 60_000;

/**
 * Runs work that may take long or may never end apart from everything else, bounded in time and memory. Threads start
 * when they are needed and end when they are idle.
 */
export class ThreadPool {
  #pool: Piscina | undefined;

  /** @throws ThreadLimitError; the signal's reason; what the work throws */
  async run<T>({ file, data, timeoutMs, signal }: ThreadTask): Promise<T> {
    signal?.throwIfAborted();
    this.#pool ??= new Piscina({
      minThreads: 0,
      maxThreads,
      idleTimeout: 30_000,
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
      execArgv: fromSource ? ['--import', tsx()] : [],
    });
    const limit = new AbortController();
    const giveUp = (why: string) => () => {
      limit.abort(new ThreadLimitError(why));
    };
    const unlink = linkAbort(limit, signal);
    let timer = setTimeout(giveUp('has waited too long for its turn'), maxWaitMs);
    const { port1, port2 } = new MessageChannel();
    port1.once('message', () => {
      clearTimeout(timer);
      timer = setTimeout(giveUp(`took longer than ${timeoutMs} ms`), timeoutMs);
    });
    const message: ThreadMessage<unknown> = { data, begun: port2 };
    try {
      return (await this.#pool.run(message, {
        filename: fromSource ? file.href.replace(/\.js$/, '.ts') : file.href,
        transferList: [port2],
        signal: limit.signal,
      })) as T;
    } catch (error) {
      limit.signal.throwIfAborted();
      if (isOutOfMemory(error))
        throw new ThreadLimitError(`took more than ${maxHeapMb} MB`, { cause: error });
      throw error;
    } finally {
      clearTimeout(timer);
      unlink();
      port1.close();
    }
  }

  /** Ends all threads; what they do fails. */
  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    await pool?.destroy();
  }
}

/** From TypeScript in tests, from JavaScript once built. */
const fromSource = fileURLToPath(import.meta.url).endsWith('.ts');
const tsx = () => pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

const isOutOfMemory = (error: unknown) =>
  error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
