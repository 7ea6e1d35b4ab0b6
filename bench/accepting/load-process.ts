import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Where a message is sent to, and by whom. */
export interface Target {
  conversationId: string;
  token: string;
}

/** To the process of the load: sends messages to the targets in turn, `inFlight` at once, for so long. */
export interface ToLoad {
  /** Of the apis, which take turns. */
  urls: string[];
  targets: Target[];
  inFlight: number;
  /** Between an acceptance and the next request of the same connection. */
  pauseMs: number;
  ms: number;
}

/** From it. */
export type FromLoad =
  | {
      is: 'report';
      /** Of each message. */
      latencyMs: number[];
      tookMs: number;
      /** The share of its core that the load took. */
      cpuShare: number;
    }
  | { is: 'failed'; reason: string };

export type LoadReport = Extract<FromLoad, { is: 'report' }>;

/** The process of the load. */
export class Load {
  readonly #child = spawn(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(new URL('./load.ts', import.meta.url))],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );

  async send(work: ToLoad): Promise<LoadReport> {
    this.#child.send(work);
    const [answer] = (await once(this.#child, 'message')) as [FromLoad];
    if (answer.is === 'failed') throw new Error(answer.reason);
    return answer;
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }
}
