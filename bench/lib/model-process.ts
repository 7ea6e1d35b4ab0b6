import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** To the process of the model. */
export type ToModel = { do: 'write' | 'measure' | 'report' };

/** From the process of the model. */
export type FromModel = { is: 'listening'; port: number } | ModelReport;

interface ModelReport {
  is: 'report';
  /** Chunks since the beginning of the measurement. */
  sent: number;
  /** Answers that are being written. */
  open: number;
  /** The share of its core that the model took. */
  cpuShare: number;
}

/** The model of a benchmark: see `model.ts`. */
export class Model {
  readonly #child;
  #url = '';

  private constructor(chunksPerSecond: number) {
    this.#child = spawn(
      process.execPath,
      ['--import', 'tsx', fileURLToPath(new URL('./model.ts', import.meta.url)), String(chunksPerSecond)],
      { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
    );
    process.once('exit', () => {
      this.end();
    });
  }

  /** @param chunksPerSecond of each answer; 0: an answer is one chunk, at once */
  static async start(chunksPerSecond: number): Promise<Model> {
    const model = new Model(chunksPerSecond);
    const listening = await model.#next('listening');
    model.#url = `http://127.0.0.1:${listening.port}`;
    return model;
  }

  get url(): string {
    return this.#url;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Has all answers go on that have begun. */
  write(): void {
    this.#child.send({ do: 'write' } satisfies ToModel);
  }

  /** What is reported is counted from here on. */
  measure(): void {
    this.#child.send({ do: 'measure' } satisfies ToModel);
  }

  async report(): Promise<ModelReport> {
    this.#child.send({ do: 'report' } satisfies ToModel);
    return this.#next('report');
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }

  async #next<T extends FromModel['is']>(is: T): Promise<Extract<FromModel, { is: T }>> {
    for (;;) {
      const [message] = (await once(this.#child, 'message')) as [FromModel];
      if (message.is === is) return message as Extract<FromModel, { is: T }>;
    }
  }
}
