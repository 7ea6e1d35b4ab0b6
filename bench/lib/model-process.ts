import type { ModelHandlers } from './model.js';
import { Remote } from './remote.js';

/** The model of a bench, in a process of its own: see `model.ts`. */
export class Model {
  private constructor(
    private readonly remote: Remote<ModelHandlers>,
    readonly url: string,
  ) {}

  /** @param chunksPerSecond of each answer; 0: an answer is one chunk, at once */
  static async start(chunksPerSecond: number): Promise<Model> {
    const remote = new Remote<ModelHandlers>('./model.ts', import.meta.url);
    return new Model(remote, await remote.call('listen', chunksPerSecond));
  }

  /** Has all answers go on that have begun. */
  write(): void {
    void this.remote.call('write');
  }

  /** What is reported is counted from here on. */
  measure(): void {
    void this.remote.call('measure');
  }

  report(): Promise<ReturnType<ModelHandlers['report']>> {
    return this.remote.call('report');
  }

  end(): void {
    this.remote.end();
  }
}
