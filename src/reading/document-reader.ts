import { fork, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import pLimit, { type LimitFunction } from 'p-limit';
import type { ReadDocument } from './read-file.js';
import { Unreadable } from './unreadable.js';

/** What a reading process says at its end. */
export type ReaderAnswer =
  | { document: ReadDocument }
  | { unreadable: Pick<Unreadable, 'reason' | 'message'> }
  /** A fault of ours, or of a library. */
  | { failure: string };

interface ReaderOptions {
  /** Files that are read at once by this process; others wait their turn, fair among their owners. */
  concurrency: number;
  /** A file that takes longer is unreadable. */
  timeoutMs: number;
  /** Memory of a reading process, all of it; a file that takes more is unreadable. */
  maxMemoryBytes: number;
  /** What reads; by default the one beside this file. */
  program?: string;
}

const ownProgram = fileURLToPath(new URL(`./reader-child${extname(import.meta.url)}`, import.meta.url));
const lookEveryMs = 50;

/**
 * Reads files in processes of their own, of lower priority: what a hostile file does there, to memory or time, is that
 * process's end alone. The reasons stand in docs/decisions/0005.
 */
export class DocumentReader {
  readonly #limit: LimitFunction;
  /** Of each owner no more files stand in line than are read at once: the next one in it is somebody else's. */
  readonly #owners = new Map<string, { limit: LimitFunction; files: number }>();

  constructor(private readonly options: ReaderOptions) {
    this.#limit = pLimit(options.concurrency);
  }

  /** What is in somebody's file. @throws Unreadable; the signal's reason, when nobody wants to know any more */
  async read(path: string, owner: string, signal: AbortSignal): Promise<ReadDocument> {
    const own = this.#owners.get(owner) ?? { limit: pLimit(this.options.concurrency), files: 0 };
    this.#owners.set(owner, own);
    own.files += 1;
    try {
      return await own.limit(() => this.#limit(() => this.#read(path, signal)));
    } finally {
      own.files -= 1;
      if (own.files === 0) this.#owners.delete(owner);
    }
  }

  async #read(path: string, signal: AbortSignal): Promise<ReadDocument> {
    signal.throwIfAborted();
    const { timeoutMs, maxMemoryBytes, program = ownProgram } = this.options;
    const process = fork(program, [path], {
      execArgv: program.endsWith('.ts') ? ['--import', 'tsx'] : [],
      // Nothing of ours: no keys, no addresses.
      env: {},
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    lowerPriority(process);
    const end = new AbortController();
    const giveUp = (why: string) => {
      end.abort(new Unreadable('unreadable', why));
    };
    const leave = () => {
      end.abort(signal.reason);
    };
    signal.addEventListener('abort', leave);
    const timers = [
      setTimeout(giveUp, timeoutMs, 'The file takes too long to read.'),
      setInterval(() => {
        void memoryOf(process).then((bytes) => {
          if (bytes > maxMemoryBytes) giveUp('The file takes too much memory to read.');
        });
      }, lookEveryMs),
    ];
    try {
      return documentIn(await answerOf(process, end.signal));
    } finally {
      for (const timer of timers) clearInterval(timer);
      signal.removeEventListener('abort', leave);
      process.kill('SIGKILL');
    }
  }
}

function documentIn(answer: ReaderAnswer): ReadDocument {
  if ('document' in answer) return answer.document;
  if ('unreadable' in answer) throw new Unreadable(answer.unreadable.reason, answer.unreadable.message);
  throw new Unreadable('unreadable', 'The file is broken, or unlike any that can be read.', {
    cause: new Error(answer.failure),
  });
}

/** @throws the signal's reason */
function answerOf(process: ChildProcess, signal: AbortSignal): Promise<ReaderAnswer> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
    process.once('message', (message) => {
      resolve(message as ReaderAnswer);
    });
    process.once('error', reject);
    // Not its exit, which may be told before its last message has been read.
    process.once('disconnect', () => {
      resolve({ failure: 'the reading process ended without an answer' });
    });
  });
}

/** People who chat come first. */
function lowerPriority({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It has ended already, or the machine does not allow it.
  }
}

/** What the process holds, as Linux tells; 0 elsewhere, where the limit of its heap is the only one. */
async function memoryOf({ pid }: ChildProcess): Promise<number> {
  // Not in pages, as in `statm`: how large they are is the machine's own business.
  const status = await readFile(`/proc/${pid ?? ''}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
