import { randomUUID } from 'node:crypto';
import type { RedisClient } from './connect.js';
import { defineScripts, type RunScript } from './scripts.js';

interface LeaseOptions {
  redis: RedisClient;
  /** Where all who want it look. */
  key: string;
  /** How long it lasts where it is not kept. */
  ttlMs: number;
}

/**
 * Something that one of many has at a time, as far as Redis knows: one that was frozen, or a Redis that was wiped, may make
 * them two for a moment. So it saves work, and never guards any.
 *
 * Both methods fail when Redis does not answer.
 */
export class Lease {
  readonly #holder = randomUUID();
  readonly #run: RunScript;

  constructor(private readonly options: LeaseOptions) {
    this.#run = defineScripts(options.redis);
  }

  /** Takes it, or keeps it for `ttlMs` from now on. False: another one has it. */
  async take(): Promise<boolean> {
    return this.#ask(this.options.ttlMs);
  }

  /** Gives it back, if it is ours. */
  async end(): Promise<void> {
    await this.#ask(0);
  }

  async #ask(ttlMs: number): Promise<boolean> {
    const [outcome] = await this.#run('lease', [this.options.key], [this.#holder, ttlMs]);
    return outcome === 'ok';
  }
}
