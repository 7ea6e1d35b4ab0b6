import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RoomConnection } from '../../../src/client/room-connection.js';
import type { RoomView } from '../../../src/client/room-view.js';
import { watchConversation } from '../../../src/client/watch.js';
import { conversationRoom } from '../../../src/wire/room.js';
import type { ConversationSnapshot, RoomEvent } from '../../../src/wire/room-events.js';
import { FakeGateway } from './fake-gateway.js';
import { conversation, conversationId, message } from './sample.js';

const room = conversationRoom(conversationId);

const created = (n: number): RoomEvent => ({
  type: 'message.created',
  room,
  cursor: `${n}-0`,
  at: new Date(n * 1000).toISOString(),
  message: message(`m${n}`, n),
});

const snapshot = (...messages: number[]): ConversationSnapshot => ({
  conversation: conversation(),
  messages: messages.map((n) => message(`m${n}`, n)),
  generations: [],
  users: [],
});

const ids = ({ room: state }: RoomView) => state?.messages.map(({ id }) => id);

/** Resolves with the first view, of now or later, that is as wished. */
function until(connection: RoomConnection, wished: (view: RoomView) => boolean): Promise<RoomView> {
  return new Promise((resolve) => {
    const look = () => {
      const view = connection.getSnapshot();
      if (!wished(view)) return;
      unsubscribe();
      resolve(view);
    };
    const unsubscribe = connection.subscribe(look);
    look();
  });
}

const isLive = ({ connection }: RoomView) => connection.state === 'live';

describe('the connection to a room', () => {
  let gateway: FakeGateway;
  let connection: RoomConnection;
  let token = 'first';
  let renewToken: () => Promise<unknown>;

  beforeEach(async () => {
    renewToken = () => Promise.reject(new Error('not now'));
    token = 'first';
    gateway = new FakeGateway();
    const url = await gateway.listen();
    connection = watchConversation(conversationId, {
      url,
      getToken: () => token,
      renewToken: () => renewToken(),
      caughtUpMs: 50,
    });
  });
  afterEach(async () => {
    connection.close();
    await gateway.close();
  });

  const goLive = async () => {
    const join = await gateway.nextJoin();
    join.answer({ ok: true, resumed: false, cursor: '2-0', snapshot: snapshot(1, 2) });
    await until(connection, isLive);
    return join;
  };

  test('begins with the snapshot of its first join, which names no cursor', async () => {
    const join = await goLive();
    expect(join).toMatchObject({ room, token: 'first' });
    expect(join.after).toBeUndefined();
    expect(ids(connection.getSnapshot())).toEqual(['m1', 'm2']);
  });

  test('applies events that follow the answer of the join in the same turn', async () => {
    const join = await gateway.nextJoin();
    join.answer({ ok: true, resumed: false, cursor: '1-0', snapshot: snapshot(1) }, [created(2), created(3)]);
    const view = await until(connection, (now) => now.room?.cursor === '3-0');
    expect(ids(view)).toEqual(['m1', 'm2', 'm3']);
  });

  test('leaves events of other rooms alone', async () => {
    await goLive();
    gateway.broadcast({ ...created(8), room: 'conversation:other' });
    gateway.broadcast(created(3));
    const view = await until(connection, (now) => now.room?.cursor === '3-0');
    expect(ids(view)).toEqual(['m1', 'm2', 'm3']);
  });

  test('comes back by its last cursor with a fresh token, and counts what it missed', async () => {
    await goLive();
    gateway.cut();
    const away = await until(connection, (now) => now.connection.state === 'reconnecting');
    expect(away.connection).toMatchObject({ retryAt: expect.any(Number) as number });
    expect(ids(away)).toEqual(['m1', 'm2']);
    token = 'second';
    connection.reconnect();
    const join = await gateway.nextJoin();
    expect(join).toMatchObject({ after: '2-0', token: 'second' });
    const live = { ...created(5), at: new Date(Date.now() + 1000).toISOString() };
    join.answer({ ok: true, resumed: true, cursor: '2-0' }, [created(3), created(4), live]);
    const back = await until(
      connection,
      ({ connection: now }) => now.state === 'live' && now.caughtUp !== null,
    );
    expect(back.connection).toEqual({ state: 'live', caughtUp: { events: 2 }, sessionEndsAt: null });
    await until(connection, ({ connection: now }) => now.state === 'live' && now.caughtUp === null);
    expect(ids(connection.getSnapshot())).toEqual(['m1', 'm2', 'm3', 'm4', 'm5']);
  });

  test('counts what it missed although nothing new follows', async () => {
    await goLive();
    gateway.cut();
    const join = await gateway.nextJoin();
    join.answer({ ok: true, resumed: true, cursor: '2-0' }, [created(3)]);
    const back = await until(
      connection,
      ({ connection: now }) => now.state === 'live' && now.caughtUp !== null,
    );
    expect(back.connection).toEqual({ state: 'live', caughtUp: { events: 1 }, sessionEndsAt: null });
  });

  test('tries again by itself', async () => {
    await goLive();
    gateway.cut();
    const join = await gateway.nextJoin();
    expect(join.after).toBe('2-0');
  });

  test('replaces all that it held by the snapshot of a join that could not resume', async () => {
    await goLive();
    gateway.cut();
    const join = await gateway.nextJoin();
    join.answer({ ok: true, resumed: false, cursor: '9-0', snapshot: snapshot(7) });
    const back = await until(
      connection,
      ({ connection: now }) => now.state === 'live' && now.caughtUp !== null,
    );
    expect(back.connection).toEqual({ state: 'live', caughtUp: { events: null }, sessionEndsAt: null });
    expect(ids(back)).toEqual(['m7']);
    expect(back.room?.cursor).toBe('9-0');
  });

  test('says nothing of catching up when nothing was missed', async () => {
    await goLive();
    gateway.cut();
    const join = await gateway.nextJoin();
    join.answer({ ok: true, resumed: true, cursor: '2-0' });
    const back = await until(connection, isLive);
    expect(back.connection).toEqual({ state: 'live', caughtUp: null, sessionEndsAt: null });
  });

  test('joins again after a join that was refused for a while', async () => {
    const join = await gateway.nextJoin();
    join.answer({ ok: false, error: { code: 'unavailable', message: 'Redis is away' } });
    await until(connection, (now) => now.connection.state === 'reconnecting');
    await goLive();
  });

  test('ends for good at a room that it may not know of', async () => {
    const join = await gateway.nextJoin();
    join.answer({ ok: false, error: { code: 'not_found', message: 'No such room' } });
    const { connection: end } = await until(connection, (now) => now.connection.state === 'closed');
    expect(end).toMatchObject({ state: 'closed', error: { code: 'not_found' } });
  });

  test('ends for good when its token is refused', async () => {
    await goLive();
    gateway.refuseWith = 'unauthenticated';
    gateway.cut();
    const { connection: end } = await until(connection, (now) => now.connection.state === 'closed');
    expect(end).toMatchObject({ state: 'closed', error: { code: 'unauthenticated' } });
  });

  test('can be closed more than once, and does not come back', async () => {
    await goLive();
    connection.close();
    connection.close();
    connection.reconnect();
    expect(connection.getSnapshot().connection).toEqual({ state: 'closed', error: null });
    expect(gateway.connections).toBe(1);
  });

  test('gives the same snapshot until something changes', async () => {
    await goLive();
    const view = connection.getSnapshot();
    expect(connection.getSnapshot()).toBe(view);
    gateway.broadcast(created(3));
    expect(await until(connection, (now) => now.room?.cursor === '3-0')).not.toBe(view);
  });

  const expiring = (): RoomEvent => ({ type: 'session.expiring', at: new Date().toISOString() });

  test('goes on under a fresh token when its session is about to end', async () => {
    await goLive();
    renewToken = () => {
      token = 'fresh';
      return Promise.resolve();
    };
    gateway.broadcast(expiring());
    await vi.waitFor(() => {
      expect(gateway.authenticated).toEqual(['fresh']);
    });
    gateway.broadcast(created(3));
    const view = await until(connection, (now) => now.room?.cursor === '3-0');
    expect(view.connection).toEqual({ state: 'live', caughtUp: null, sessionEndsAt: null });
    expect(gateway.connections).toBe(1);
  });

  test.each([
    ['no token can be had', () => undefined],
    [
      'the token is refused',
      () => {
        gateway.renewals = false;
        renewToken = () => Promise.resolve();
      },
    ],
  ])('says when its session ends where %s', async (_why, arrange) => {
    await goLive();
    arrange();
    gateway.broadcast(expiring());
    const view = await until(
      connection,
      ({ connection: now }) => now.state === 'live' && now.sessionEndsAt !== null,
    );
    expect(view.connection).toMatchObject({ sessionEndsAt: expect.any(Number) as number });
  });
});
