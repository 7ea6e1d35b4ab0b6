import { WebSocket } from 'undici';
import { metricsOf } from './metrics.js';
import type { SystemProcess } from './system.js';

/** Setting of a process whose {@link LiveMemory} is to be measured: it listens for a debugger, on a free port. */
export const inspectable = { NODE_OPTIONS: '--inspect=127.0.0.1:0' };

export interface Held {
  /** JavaScript objects, functions and arrays among them. */
  objects: number;
  /** Of the heap, and of buffers outside it; compiled code too, which comes and goes as the optimiser likes. */
  bytes: number;
}

/**
 * What can be reached in a process: measured behind full collections, so that it does not depend on when the collector
 * runs. Speaks https://chromedevtools.github.io/devtools-protocol/v8/.
 */
export class LiveMemory {
  #lastId = 0;
  readonly #answers = new Map<number, (answer: Answer) => void>();

  private constructor(
    private readonly process: SystemProcess,
    private readonly socket: WebSocket,
  ) {
    socket.addEventListener('message', ({ data }) => {
      const { id, ...answer } = JSON.parse(String(data)) as Answer & { id?: number };
      if (id === undefined) return;
      this.#answers.get(id)?.(answer);
      this.#answers.delete(id);
    });
    socket.addEventListener('close', () => {
      for (const settle of this.#answers.values()) settle({ error: { message: 'the process has gone' } });
    });
  }

  /** Attaches to a process that was started as {@link inspectable}. */
  static async of(process: SystemProcess): Promise<LiveMemory> {
    const url = process.output.map((line) => /^Debugger listening on (ws:\S+)/.exec(line)?.[1]).find(Boolean);
    if (url === undefined) throw new Error('the process is not inspectable');
    const socket = new WebSocket(url);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => {
        resolve();
      });
      socket.addEventListener('error', ({ error }) => {
        reject(new Error(`${url} does not answer`, { cause: error }));
      });
    });
    return new LiveMemory(process, socket);
  }

  /** The least of two looks: what is under way just now, a query of a sweep say, is over when the other is taken. */
  async measure(): Promise<Held> {
    const [one, other] = [await this.#look(), await this.#look()];
    return {
      objects: Math.min(one.objects, other.objects),
      bytes: Math.min(one.bytes, other.bytes),
    };
  }

  close(): void {
    this.socket.close();
  }

  async #look(): Promise<Held> {
    // What Node itself keeps for whoever asks: the last lines of the console, and the first 250 calls of fetch.
    await this.#ask('Runtime.discardConsoleEntries');
    await this.#evaluate('performance.clearResourceTimings()');
    await this.#ask('HeapProfiler.collectGarbage');
    // Finalizers run in a turn of the event loop; what they let go of is for the next collection.
    await metricsOf(this.process);
    const objects = await this.#countObjects();
    const bytes = await this.#evaluate(
      '(({ heapUsed, external }) => heapUsed + external)(process.memoryUsage())',
    );
    return { objects, bytes: numberIn(bytes) };
  }

  /** Collects garbage, too. */
  async #countObjects(): Promise<number> {
    const objectGroup = 'count';
    const root = await this.#ask('Runtime.evaluate', { expression: 'Object.prototype', objectGroup });
    const prototypeObjectId = root.result?.objectId;
    const { objects } = await this.#ask('Runtime.queryObjects', { prototypeObjectId, objectGroup });
    const { result } = await this.#ask('Runtime.callFunctionOn', {
      objectId: objects?.objectId,
      functionDeclaration: 'function () { return this.length; }',
      returnByValue: true,
    });
    await this.#ask('Runtime.releaseObjectGroup', { objectGroup });
    await this.#ask('HeapProfiler.collectGarbage'); // the list of them
    return numberIn(result?.value);
  }

  /** Runs code between any two instructions of the process: it must touch nothing that others are in the middle of. */
  async #evaluate(expression: string): Promise<unknown> {
    const { result } = await this.#ask('Runtime.evaluate', { expression, returnByValue: true });
    return result?.value;
  }

  async #ask(method: string, params: object = {}): Promise<Result> {
    const id = (this.#lastId += 1);
    const answered = new Promise<Answer>((resolve) => this.#answers.set(id, resolve));
    this.socket.send(JSON.stringify({ id, method, params }));
    const { result, error } = await answered;
    if (!result) throw new Error(`${method}: ${error?.message ?? 'no result'}`);
    return result;
  }
}

interface Result {
  result?: RemoteObject;
  objects?: RemoteObject;
}

interface RemoteObject {
  objectId?: string;
  value?: unknown;
}

interface Answer {
  result?: Result;
  error?: { message: string };
}

function numberIn(value: unknown): number {
  if (typeof value !== 'number') throw new Error(`no measure of memory: ${JSON.stringify(value)}`);
  return value;
}
