import { Cluster } from 'ioredis';
import { nodesOf, type RedisClient } from './connect.js';
import type { Keys } from './keys.js';

/**
 * Tells when Redis may have lost what was in it: a key that is gone with everything else holds the `run_id` of the
 * server that was seen whole. A restart that lost nothing looks like a loss, which costs a look at every job. Where INFO
 * knows no `run_id`, the key's presence decides. On a cluster the ids of all masters are held, since each may lose its
 * part alone; one that has taken over from another has a new id, and may lack its last writes.
 */
export class LossDetector {
  constructor(
    private readonly redis: RedisClient,
    private readonly keys: Keys,
  ) {}

  /** The mark of the server as it is now, if it is not known to be whole; else undefined. */
  async look(): Promise<string | undefined> {
    const [known, mark] = await Promise.all([this.redis.get(this.keys.marker), this.servers()]);
    return known === mark ? undefined : mark;
  }

  /** The ids of all masters: others than before may lack what was written. */
  async servers(): Promise<string> {
    const infos = await Promise.all(nodesOf(this.redis).map((node) => node.info('server')));
    const runIds = infos.map((info) => /^run_id:(\w+)/m.exec(info)?.[1] ?? 'unknown');
    return runIds.sort().join(' ');
  }

  /** Whether what is missing now was not lost. */
  async isWhole(): Promise<boolean> {
    if (this.redis instanceof Cluster) return (await this.look()) === undefined;
    return (await this.redis.exists(this.keys.marker)) > 0;
  }

  /** Notes that everything is there again. */
  async markWhole(mark: string): Promise<void> {
    await this.redis.set(this.keys.marker, mark);
  }
}
