import type { Redis } from 'ioredis';

/** Streams are cut to about this length by XADD (`room-log.ts`, BullMQ's `maxLenEvents`). */
const maxStreamLength = 12_000;

/**
 * Keys without TTL that may be: there is one of each, however much is done.
 *
 * BullMQ's are one set for each queue, of a provider or of webhooks. `id` is a counter, `pc` another (of priorities); `meta` a hash of a
 * few settings; `marker` a set of one; `events` a stream that BullMQ cuts; `stalled-check` has a TTL. What waits or runs
 * is in lists and sets that are empty, so not there, when nothing does; a finished job is removed with its hash.
 */
const single = [
  /:((generations|documents)-[a-z]+|webhooks):(id|meta|pc|marker|events)$/,
  // The id of the Redis that was last seen whole.
  /:\{control\}:marker$/,
];

/** Keys of a deployment that nothing bounds: neither a TTL nor a length nor their number. */
export async function unboundedKeys(redis: Redis, prefix: string): Promise<string[]> {
  const unbounded: string[] = [];
  for await (const keys of redis.scanStream({ match: `*${prefix}*`, count: 1000 }) as AsyncIterable<string[]>)
    for (const key of keys) {
      if ((await redis.pttl(key)) !== -1) continue;
      const isSingle = single.some((pattern) => pattern.test(key));
      const isLong = (await redis.type(key)) === 'stream' && (await redis.xlen(key)) > maxStreamLength;
      if (!isSingle || isLong) unbounded.push(key);
    }
  return unbounded.sort();
}
