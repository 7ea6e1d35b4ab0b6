import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { whenReady, type RedisClient } from '../../src/redis/connect.js';
import { createKeys } from '../../src/redis/keys.js';
import { LossDetector } from '../../src/redis/loss-detector.js';
import { GatewayLeases } from '../../src/redis/gateway-leases.js';
import { isWatched, Presence } from '../../src/redis/presence.js';
import { conversationRoom, type Room } from '../../src/wire/room.js';
import { openRedis, testKeyPrefix } from '../support/stores.js';

const keys = createKeys(testKeyPrefix());
const ada = { id: 'ada', name: 'Ada' };
const bob = { id: 'bob', name: 'Bob' };
let redis: RedisClient;
let room: Room;
const whisper = vi.fn<(room: Room, type: string, event: object) => Promise<void>>();
const gateway = (id: string) => new Presence(redis, keys, { whisper }, id);
const leases = (id: string) => new GatewayLeases(redis, keys, id);

beforeAll(async () => {
  redis = openRedis();
  await whenReady(redis, 5000);
});
beforeEach(async () => {
  await redis.del(keys.gateways);
  await leases('one').renew();
  await leases('two').renew();
  room = conversationRoom(randomUUID());
  whisper.mockReset();
  const lossDetector = new LossDetector(redis, keys);
  const mark = await lossDetector.look();
  if (mark !== undefined) await lossDetector.markWhole(mark);
});
afterAll(async () => {
  await redis.del(keys.marker, keys.gateways);
  redis.disconnect();
});

/** A gateway that said something, and died a while ago. */
const leaveBehind = async (agoMs: number) => {
  await gateway('dead').set(room, [{ ...ada, connections: 1 }]);
  await redis.hset(keys.gateways, 'dead', Date.now() - agoMs);
};

describe('whether a room is watched', () => {
  const watched = () => isWatched(redis, keys, room);

  test('is so as long as a living gateway says so', async () => {
    expect(await watched()).toBe(false);
    await gateway('one').set(room, [{ ...ada, connections: 2 }]);
    expect(await watched()).toBe(true);
    await gateway('one').set(room, [{ ...ada, connections: 0 }]);
    expect(await watched()).toBe(false);
    await leaveBehind(9000);
    expect(await watched()).toBe(true);
    await leaveBehind(11_000);
    expect(await watched()).toBe(false);
  });

  test('is not known when Redis was wiped, until somebody says that it is', async () => {
    await redis.del(keys.marker);
    expect(await watched()).toBeUndefined();
    await gateway('one').set(room, [{ ...ada, connections: 1 }]);
    expect(await watched()).toBe(true);
  });
});

describe('the leases of gateways', () => {
  test('are forgotten where they are new, lost or stale, and not where they are renewed', async () => {
    const three = leases('three');
    expect(await three.renew()).toEqual({ forgotten: true, died: false });
    expect(await three.renew()).toEqual({ forgotten: false, died: false });
    // By clocks that are ahead it may have been taken for dead.
    await redis.hset(keys.gateways, 'three', Date.now() - 7000);
    expect(await three.renew()).toEqual({ forgotten: true, died: false });
    await redis.del(keys.gateways);
    expect(await three.renew()).toMatchObject({ forgotten: true });
    expect(await redis.pttl(keys.gateways)).toBeGreaterThan(0);
  });

  test('tell once of each gateway that has died or gone', async () => {
    const three = leases('three');
    await three.renew();
    await redis.hset(keys.gateways, 'two', Date.now() - 11_000);
    expect(await three.renew()).toEqual({ forgotten: false, died: true });
    expect(await three.renew()).toEqual({ forgotten: false, died: false });
    await leases('one').end();
    expect(await three.renew()).toEqual({ forgotten: false, died: true });
  });

  test('are not kept for ever', async () => {
    await redis.hset(keys.gateways, 'long dead', Date.now() - 301_000);
    await leases('one').renew();
    expect(await redis.hexists(keys.gateways, 'long dead')).toBe(0);
  });
});

describe('presence', () => {
  test('counts a person over all gateways, by name', async () => {
    await gateway('one').set(room, [{ ...bob, connections: 1 }]);
    await gateway('one').set(room, [{ ...ada, connections: 1 }]);
    await gateway('two').set(room, [{ ...ada, connections: 2 }]);
    expect(await gateway('two').list(room)).toEqual([
      { ...ada, connections: 3 },
      { ...bob, connections: 1 },
    ]);
    expect(await redis.pttl(keys.presence(room))).toBeGreaterThan(0);
  });

  test('is told when it has changed, and without those whose gateway has died', async () => {
    const one = gateway('one');
    await one.set(room, [{ ...bob, connections: 1 }]);
    await leaveBehind(5000);
    await one.tell(room);
    await one.tell(room);
    expect(whisper).toHaveBeenCalledOnce();
    expect(whisper.mock.calls[0]?.[2]).toMatchObject({ type: 'presence', room, users: [ada, bob] });
    await leaveBehind(11_000);
    await one.tell(room);
    expect(whisper.mock.lastCall?.[2]).toMatchObject({ users: [bob] });
    await redis.hdel(keys.gateways, 'dead');
    await one.tell(room);
    expect(await redis.hexists(keys.presence(room), 'dead ada')).toBe(0);
  });

  test('counts what a gateway has said that was only taken for dead', async () => {
    await leaveBehind(11_000);
    await gateway('one').tell(room);
    expect(await gateway('one').list(room)).toEqual([]);
    await redis.hset(keys.gateways, 'dead', Date.now());
    expect(await gateway('one').list(room)).toMatchObject([ada]);
  });

  test('is told again where the telling failed', async () => {
    const one = gateway('one');
    await one.set(room, [{ ...bob, connections: 1 }]);
    whisper.mockRejectedValueOnce(new Error('away'));
    await expect(one.tell(room)).rejects.toThrow('away');
    await one.tell(room);
    expect(whisper).toHaveBeenCalledTimes(2);
  });

  test('of nobody leaves nothing behind', async () => {
    const one = gateway('one');
    await one.set(room, [{ ...bob, connections: 1 }]);
    await one.tell(room);
    await one.set(room, [{ ...bob, connections: 0 }]);
    await one.tell(room);
    expect(await redis.exists(keys.presence(room))).toBe(0);
  });
});
