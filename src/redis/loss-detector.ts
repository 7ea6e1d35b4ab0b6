import type { Redis } from 'ioredis';
import type { Keys } from './keys.js';

/**
 * Tells when Redis may have lost what was in it: a key that is gone with everything else holds the `run_id` of the
 * server that was seen whole. A restart that lost nothing looks like a loss, which costs a look at every job. Where INFO
 * knows no `run_id`, the key's presence decides.
 */
export class LossDetector {
  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
  ) {}

  /** The mark of the server as it is now, if it is not known to be whole; else undefined. */
  async look(): Promise<string | undefined> {
    const [known, info] = await Promise.all([this.redis.get(this.keys.marker), this.redis.info('server')]);
    const runId = /^run_id:(\w+)/m.exec(info)?.[1] ?? 'unknown';
    return known === runId ? undefined : runId;
  }

  /** Notes that everything is there again. */
  async markWhole(mark: string): Promise<void> {
    await this.redis.set(this.keys.marker, mark);
  }
}
