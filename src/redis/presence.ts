import { createHash } from 'node:crypto';
import type { User } from '../domain/conversation.js';
import type { PresentUser } from '../wire/room-events.js';
import type { Room } from '../wire/room.js';
import type { RedisClient } from './connect.js';
import { readGateways } from './gateway-leases.js';
import type { Keys } from './keys.js';
import { LossDetector } from './loss-detector.js';
import type { RoomLog } from './room-log.js';

const keyTtlMs = 300_000;
/** Beside the fields of the gateways: a digest of who was here when the room was told last. */
const toldField = 'told';

interface RoomPresence {
  /** What living gateways say. */
  entries: PresentUser[];
  /** Fields of gateways that have left, or have been dead for so long that they are forgotten. */
  forgotten: string[];
  told: string | undefined;
}

async function readPresence(redis: RedisClient, keys: Keys, room: Room): Promise<RoomPresence> {
  const [{ [toldField]: told, ...fields }, { known, living }] = await Promise.all([
    redis.hgetall(keys.presence(room)),
    readGateways(redis, keys),
  ]);
  const presence: RoomPresence = { entries: [], forgotten: [], told };
  for (const [field, json] of Object.entries(fields)) {
    const gatewayId = field.slice(0, field.indexOf(' '));
    if (living.has(gatewayId)) presence.entries.push(JSON.parse(json) as PresentUser);
    else if (!known.has(gatewayId)) presence.forgotten.push(field);
  }
  return presence;
}

/**
 * Whether anybody watches the room. Undefined: Redis was lost (its marker is gone, see `loss-detector.ts`), and the
 * gateways may not have said again who does. Fails when Redis does not answer.
 */
export async function isWatched(redis: RedisClient, keys: Keys, room: Room): Promise<boolean | undefined> {
  const [{ entries }, whole] = await Promise.all([
    readPresence(redis, keys, room),
    new LossDetector(redis, keys).isWhole(),
  ]);
  return entries.length > 0 || (whole ? false : undefined);
}

/**
 * Who watches a room, over all gateways: a hash with a field for each gateway and user, which counts as long as the
 * gateway's lease (`gateway-leases.ts`), and what the room was told last. So any gateway that looks puts right what
 * another has left undone when it died.
 */
export class Presence {
  constructor(
    private readonly redis: RedisClient,
    private readonly keys: Keys,
    private readonly roomLog: Pick<RoomLog, 'whisper'>,
    /** Names this gateway process. */
    private readonly gatewayId: string,
  ) {}

  /** Says how many connections of this gateway each of the users watches the room with; 0: none any more. */
  async set(room: Room, users: readonly PresentUser[]): Promise<void> {
    const key = this.keys.presence(room);
    const field = ({ id }: User) => `${this.gatewayId} ${id}`;
    const gone = users.filter(({ connections }) => connections === 0).map(field);
    const here = users
      .filter(({ connections }) => connections > 0)
      .flatMap(({ id, name, connections }) => [
        field({ id, name }),
        JSON.stringify({ id, name, connections }),
      ]);
    await Promise.all([
      gone.length > 0 && this.redis.hdel(key, ...gone),
      here.length > 0 && this.redis.hset(key, ...here),
      here.length > 0 && this.redis.pexpire(key, keyTtlMs),
    ]);
  }

  /** Everybody who watches now, by name. */
  async list(room: Room): Promise<PresentUser[]> {
    return usersOf((await readPresence(this.redis, this.keys, room)).entries);
  }

  /**
   * Tells everybody in the room who is here, where that has changed. What a dead gateway has said stays until the gateway is
   * forgotten: it may only have been away, and then it counts again.
   */
  async tell(room: Room): Promise<void> {
    const key = this.keys.presence(room);
    const { entries, forgotten, told } = await readPresence(this.redis, this.keys, room);
    if (forgotten.length > 0) await this.redis.hdel(key, ...forgotten);
    const users = usersOf(entries);
    if (users.length === 0) {
      await this.redis.hdel(key, toldField);
      return;
    }
    const digest = createHash('sha1').update(JSON.stringify(users)).digest('base64');
    if (digest === told) return;
    // First, so that a failure on the way tells it twice, not never.
    await this.roomLog.whisper(room, 'presence', {
      type: 'presence',
      room,
      at: new Date().toISOString(),
      users,
    });
    await Promise.all([this.redis.hset(key, toldField, digest), this.redis.pexpire(key, keyTtlMs)]);
  }
}

function usersOf(entries: readonly PresentUser[]): PresentUser[] {
  const users = new Map<string, PresentUser>();
  for (const { id, name, connections } of entries)
    users.set(id, { id, name, connections: connections + (users.get(id)?.connections ?? 0) });
  return [...users.values()].sort((a, b) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id));
}
