import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Door, FromLoad, ToLoad } from './work.js';

type Report = Extract<FromLoad, { is: 'report' }>;

/** The process of the clients. */
export class Load {
  /** The chunk that the slowest client waits for. */
  slowest = 0;
  readonly #child = spawn(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(new URL('./load.ts', import.meta.url))],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );

  constructor() {
    this.#child.on('message', (message: FromLoad) => {
      if (message.is === 'at') this.slowest = message.n;
    });
  }

  /** Resolves once a client is in at each of the doors. */
  async connect(doors: Door[]): Promise<void> {
    this.#tell({ do: 'connect', doors });
    await this.#next('connected');
  }

  /** What is reported is counted from here on. */
  measure(): void {
    this.#tell({ do: 'measure' });
  }

  async report(): Promise<Report> {
    this.#tell({ do: 'report' });
    return (await this.#next('report')) as Report;
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }

  #tell(message: ToLoad): void {
    this.#child.send(message);
  }

  async #next(is: FromLoad['is']): Promise<FromLoad> {
    for (;;) {
      const [message] = (await once(this.#child, 'message')) as [FromLoad];
      if (message.is === is) return message;
    }
  }
}
