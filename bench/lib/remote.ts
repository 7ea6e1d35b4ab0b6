import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Handlers } from './serve.js';

interface Answer {
  id: number;
  result?: unknown;
  error?: string;
}

/** A process of a bench of its own, whose program calls `serve`. */
export class Remote<H extends Handlers> {
  readonly pid: number;
  readonly #child;
  readonly #waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  #ids = 0;

  /** Starts a program (TypeScript) that lies where `base` says, and takes calls at once. */
  constructor(program: string, base: string) {
    const path = fileURLToPath(new URL(program, base));
    this.#child = spawn(process.execPath, ['--import', 'tsx', path], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.pid = this.#child.pid ?? 0;
    this.#child.on('message', ({ id, result, error }: Answer) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(result as never);
      else waiting?.reject(new Error(error));
    });
    this.#child.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`${program} has ended`));
    });
  }

  /** Calls what the program serves. Fails as it does there. */
  call<N extends keyof H & string>(name: N, ...args: Parameters<H[N]>): Promise<Awaited<ReturnType<H[N]>>> {
    this.#ids += 1;
    const id = this.#ids;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, name, args });
    });
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }
}
