import type { RedisClient } from './connect.js';
import type { Keys } from './keys.js';
import { LossDetector } from './loss-detector.js';

/** A gateway that has not renewed its lease for so long is dead, and who watched through it is gone. */
const staleMs = 10_000;
/** Before others may take it for dead, whose clocks may be ahead, a gateway that comes late says everything again. */
const lateMs = 6000;
/** What dead gateways leave behind is forgotten. */
const forgetMs = 300_000;

export interface Renewal {
  /** What this gateway said may be lost, or others may have taken it for dead: it has to say everything again. */
  forgotten: boolean;
  /** A gateway that lived at the last renewal does so no longer. */
  died: boolean;
}

/**
 * Which gateways live: a hash of when each has said so last, in milliseconds of its clock's epoch. So one write tells for
 * all that a gateway has said of its rooms, however many they are. The clocks of the gateways are assumed to agree within
 * a second or two.
 *
 * Every method fails when Redis does not answer.
 */
export class GatewayLeases {
  #living = new Set<string>();
  #servers: string | undefined;
  readonly #lossDetector: LossDetector;

  constructor(
    private readonly redis: RedisClient,
    private readonly keys: Keys,
    /** Names this gateway process. */
    private readonly gatewayId: string,
  ) {
    this.#lossDetector = new LossDetector(redis, keys);
  }

  /** Says that this gateway lives. */
  async renew(): Promise<Renewal> {
    const { redis, keys, gatewayId } = this;
    // Before the lease is looked at: what is lost behind this is noticed at the next renewal. One of several servers may be
    // away, which must not cost the lease.
    const servers = await this.#lossDetector.servers().catch(() => this.#servers);
    const seen = await readSeen(redis, keys);
    const living = livingOf(seen);
    const isLate = Date.now() - (seen.get(gatewayId) ?? 0) > lateMs;
    const died = [...this.#living].some((id) => id !== gatewayId && !living.has(id));
    const forgettable = [...seen].filter(([, at]) => Date.now() - at > forgetMs).map(([id]) => id);
    if (forgettable.length > 0) await redis.hdel(keys.gateways, ...forgettable);
    const [added] = await Promise.all([
      redis.hset(keys.gateways, gatewayId, Date.now()),
      redis.pexpire(keys.gateways, forgetMs),
    ]);
    const forgotten = isLate || added > 0 || servers !== this.#servers;
    this.#servers = servers;
    this.#living = living;
    return { forgotten, died };
  }

  /** Says that this gateway is no more. */
  async end(): Promise<void> {
    await this.redis.hdel(this.keys.gateways, this.gatewayId);
  }
}

/** The gateways that live now, and all that are not forgotten. Fails when Redis does not answer. */
export async function readGateways(
  redis: RedisClient,
  keys: Keys,
): Promise<{ living: Set<string>; known: Set<string> }> {
  const seen = await readSeen(redis, keys);
  return { living: livingOf(seen), known: new Set(seen.keys()) };
}

async function readSeen(redis: RedisClient, keys: Keys): Promise<Map<string, number>> {
  return new Map(Object.entries(await redis.hgetall(keys.gateways)).map(([id, at]) => [id, Number(at)]));
}

function livingOf(seen: ReadonlyMap<string, number>): Set<string> {
  return new Set([...seen].filter(([, at]) => Date.now() - at <= staleMs).map(([id]) => id));
}
