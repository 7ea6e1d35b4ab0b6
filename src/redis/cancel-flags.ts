import type { Room } from '../wire/room.js';
import type { RedisClient } from './connect.js';
import type { Keys } from './keys.js';
import { defineScripts, type RunScript } from './scripts.js';
import type { Subscriptions } from './subscriber.js';

/** Longer than any generation may run. */
const flagTtlMs = 2 * 86_400_000;

/**
 * Tells the worker that runs a generation to stop it, on whichever machine it is. Postgres has decided before; the flag
 * stops the next append even where the signal is lost, the signal stops a model that is silent.
 */
export class CancelFlags {
  readonly #run: RunScript;

  constructor(
    private readonly redis: RedisClient,
    private readonly keys: Keys,
  ) {
    this.#run = defineScripts(redis);
  }

  /**
   * Raises the flag, unless the log has told the generation's end, and signals. Safe to repeat. Fails when Redis does not
   * answer.
   */
  async raise(room: Room, generationId: string): Promise<void> {
    const { keys } = this;
    await Promise.all([
      this.#run('raise', [keys.generation(room, generationId), keys.cancel(room, generationId)], [flagTtlMs]),
      this.redis.spublish(keys.control, generationId),
    ]);
  }
}

/** Calls `onCancel` with the id of every generation that is to be stopped, wherever it runs. */
export async function listenForCancels(
  subscriber: Subscriptions,
  keys: Keys,
  onCancel: (generationId: string) => void,
): Promise<void> {
  await subscriber.subscribe(keys.control, onCancel);
}
