import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createKeys } from '../../../src/redis/keys.js';
import { RoomLog } from '../../../src/redis/room-log.js';
import { conversationRoom, userRoom } from '../../../src/wire/room.js';
import { SseClient, type RoomClient } from '../../support/clients.js';
import { Person } from '../../support/person.js';
import { openRedis } from '../../support/stores.js';
import { openScene, type Scene } from '../../support/scene.js';
import { startSystem, type System } from '../../support/system.js';
import { audience, issuer, startHostApplication, type HostApplication } from './host-application.js';
import { PlainSocket } from './plain-socket.js';

/** Whoever loses the right to watch sees nothing more from that moment. */

describe('when a right is taken away', () => {
  let scene: Scene;
  let bob: Person;

  beforeAll(async () => {
    scene = await openScene({ apis: 2 });
    bob = await Person.signIn(scene.system.api(1), 'Bob');
  });
  afterAll(async () => {
    bob.leave();
    await scene.close();
  });

  /** Bob watches, through the other api, how Ada's question is being answered. */
  async function watch(streamOf: (conversationId: string, generationId: string) => SseClient) {
    const conversationId = await scene.ada.converse();
    await scene.system.addMember(conversationId, bob.user.id, 'viewer');
    const asked = await scene.ask({ conversationId });
    const stream = streamOf(conversationId, asked.generation.id);
    await stream.connect();
    asked.model.text('before ');
    await stream.waitFor('generation.chunk', ({ chunk }) => chunk.type === 'content_block_delta');
    return { ...asked, stream };
  }

  const remove = (conversationId: string) =>
    scene.ada.call('DELETE', `/v1/conversations/${conversationId}/members/${bob.user.id}`);

  test.for([
    ['the conversation’s event stream', (id: string) => bob.eventStream(id)],
    ['the generation’s event stream', (_: string, id: string) => bob.generationStream(id)],
  ] as const)('%s ends', async ([, streamOf]) => {
    const { conversationId, model, stream } = await watch(streamOf);
    expect((await remove(conversationId)).status).toBe(204);
    await stream.end();
    model.text('after').stop();
    expect(JSON.stringify(stream.events)).not.toContain('after');
    await expect(stream.connect()).rejects.toMatchObject({ code: 'not_found', status: 404 });
  });

  test('a socket leaves the room and gets nothing more of it', async () => {
    const { conversationId, generation, model } = await watch((id) => bob.eventStream(id));
    const room = `conversation:${conversationId}`;
    const socket = await PlainSocket.connect(scene.system.api(1).url, bob.token);
    expect(await socket.ask('join', { room })).toMatchObject({ ok: true });
    const ada = scene.ada.socket(conversationId);
    await ada.connect();
    await remove(conversationId);
    await socket.waitFor('member.left');
    model.text('after').stop();
    await ada.ended(generation.id);
    await ada.waitFor('presence', ({ users }) => users.every(({ id }) => id !== bob.user.id));
    expect(await socket.ask('typing', { room, typing: true })).toMatchObject({
      error: { code: 'not_found' },
    });
    expect(await socket.ask('join', { room })).toMatchObject({ error: { code: 'not_found' } });
    expect(JSON.stringify(socket.events)).not.toContain('after');
    expect(socket.events.at(-1)?.type).toBe('member.left');
    socket.close();
  });

  test('both end with the conversation, and the answer with them', async () => {
    const { conversationId, model, stream } = await watch((id) => bob.eventStream(id));
    const room = `conversation:${conversationId}`;
    const socket = await PlainSocket.connect(scene.system.api().url, bob.token);
    expect(await socket.ask('join', { room })).toMatchObject({ ok: true });
    expect((await scene.ada.call('DELETE', `/v1/conversations/${conversationId}`)).status).toBe(204);
    await Promise.all([socket.waitFor('conversation.deleted'), stream.end(), model.closed]);
    expect(stream.events.at(-1)?.type).toBe('conversation.deleted');
    expect(await socket.ask('join', { room })).toMatchObject({ error: { code: 'not_found' } });
    socket.close();
  });

  describe('and no log tells it, since it has begun anew', () => {
    /** Bob watches in every way, the answer being written; then the log is lost, and somebody looks at the room. */
    async function loseLogAfter(takeAway: (sql: postgres.Sql, conversationId: string) => Promise<unknown>) {
      const { conversationId, generation, stream, model } = await watch((id) => bob.eventStream(id));
      const alone = bob.generationStream(generation.id);
      await alone.connect();
      const room = conversationRoom(conversationId);
      const both = new SseClient(
        { url: scene.system.api(1).url, token: bob.token, room },
        `/v1/events?room=${room}&room=${userRoom(bob.user.id)}`,
      );
      await both.connect();
      const socket = await PlainSocket.connect(scene.system.api(1).url, bob.token);
      expect(await socket.ask('join', { room })).toMatchObject({ ok: true });
      const sql = postgres(scene.system.databaseUrl, { max: 1 });
      const redis = openRedis(scene.system.redisUrl);
      try {
        const keys = createKeys(scene.system.keyPrefix);
        await takeAway(sql, conversationId);
        await redis.del(keys.log(room), keys.head(room));
        await new RoomLog(redis, keys).look(room);
      } finally {
        await sql.end();
        redis.disconnect();
      }
      return { room, conversationId, generation, stream, alone, both, socket, model };
    }

    test('somebody who was removed is told so by every door, and the rest goes on', async () => {
      const { room, conversationId, stream, alone, both, socket, model } = await loseLogAfter(
        (sql, id) => sql`delete from members where conversation_id = ${id} and user_id = ${bob.user.id}`,
      );
      await Promise.all([
        stream.end(),
        alone.end(),
        socket.waitFor('member.left'),
        both.waitFor('member.left'),
      ]);
      model.text('after').stop();
      const told = { type: 'member.left', room, user: bob.user, conversation: { id: conversationId } };
      for (const client of [stream, alone, both, socket]) {
        expect(client.events.at(-1)).toMatchObject(told);
        expect(client.events.at(-1)).not.toHaveProperty('cursor');
      }
      expect(await socket.ask('join', { room })).toMatchObject({ error: { code: 'not_found' } });
      expect(socket.events.at(-1)).toMatchObject(told);
      // The other room of the stream is still watched.
      const own = await bob.converse();
      await both.waitFor('conversation.activity', ({ conversation }) => conversation.id === own);
      expect(JSON.stringify([stream, alone, both, socket].map(({ events }) => events))).not.toContain(
        'after',
      );
      both.drop();
      socket.close();
    });

    test('everybody is told of a conversation that is gone', async () => {
      const { room, conversationId, stream, alone, both, socket, model } = await loseLogAfter(
        (sql, id) => sql`delete from conversations where id = ${id}`,
      );
      await Promise.all([
        stream.end(),
        alone.end(),
        ...[socket, both].map((client) => client.waitFor('conversation.deleted')),
      ]);
      for (const client of [stream, alone, both, socket])
        expect(client.events.at(-1)).toMatchObject({
          type: 'conversation.deleted',
          room,
          conversation: { id: conversationId, title: null, concurrency: 'queue', running: 0 },
        });
      both.drop();
      socket.close();
      model.stop();
    });
  });

  describe('and given back', () => {
    /** Bob watches, is away while he is removed and invited again, and comes back to where he was. */
    async function comeBack(clientOf: (conversationId: string, generationId: string) => RoomClient) {
      const asked = await scene.ask();
      const { conversationId, generation, model } = asked;
      const ada = scene.ada.socket(conversationId);
      await ada.connect();
      const invite = async () => {
        const path = `/v1/conversations/${conversationId}/invites`;
        const { body } = await scene.ada.call<{ token: string }>('POST', path, { role: 'viewer' });
        await bob.call('POST', `/v1/invites/${body.token}/accept`);
      };
      await invite();
      const client = clientOf(conversationId, generation.id);
      await client.connect();
      model.text('before ');
      await client.waitFor('generation.chunk', ({ chunk }) => chunk.type === 'content_block_delta');
      client.drop();
      await remove(conversationId);
      await ada.waitFor('member.left');
      model.text('without ');
      await invite();
      await ada.until(() => ada.of('member.joined').length === 2);
      await client.connect();
      await client.until(() => client.written(generation.id) === 'before without ');
      model.text('after').stop();
      await Promise.all([ada.ended(generation.id), client.ended(generation.id)]);
      expect(client.of('snapshot')).toHaveLength(1);
      expect(client.written(generation.id)).toBe('before without after');
      return { ...asked, client, ada };
    }

    test.for([
      ['a socket', (id: string) => bob.socket(id)],
      ['an event stream', (id: string) => bob.eventStream(id)],
    ] as const)('%s gets what it missed, its own removal too, and goes on', async ([, clientOf]) => {
      const { client, ada, conversationId } = await comeBack(clientOf);
      const [first] = client.logged;
      expect(client.logged).toEqual(
        ada.logged.slice(ada.logged.findIndex(({ cursor }) => cursor === first?.cursor)),
      );
      expect(client.of('member.left')).toMatchObject([{ user: bob.user }]);
      await remove(conversationId);
      await client.until(() => client.of('member.left').length === 2);
      expect(client.events.at(-1)?.type).toBe('member.left');
    });

    test('an event stream of the generation alone goes on with it, and says nothing else', async () => {
      const { client } = await comeBack((_, generationId) => bob.generationStream(generationId));
      expect(new Set(client.events.map(({ type }) => type.split('.')[0]))).toEqual(
        new Set(['snapshot', 'generation']),
      );
    });
  });

  test('nobody comes back behind an old cursor', async () => {
    const conversationId = await scene.ada.converse();
    await scene.system.addMember(conversationId, bob.user.id);
    const stream = bob.eventStream(conversationId);
    await stream.connect();
    const cursor = stream.lastEventId;
    await remove(conversationId);
    await stream.end();
    for (const client of [bob.eventStream(conversationId), bob.socket(conversationId)])
      await expect(client.connect(cursor)).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('when a token ends', () => {
  let host: HostApplication;
  let system: System;
  const url = () => system.api().url;
  const now = () => Date.now() / 1000;

  beforeAll(async () => {
    host = await startHostApplication();
    const env = {
      AUTH_MODE: 'jwt',
      AUTH_SECRET: '',
      AUTH_JWKS_URL: host.jwksUrl,
      AUTH_AUDIENCE: audience,
      AUTH_ISSUER: issuer,
    };
    system = await startSystem({ workers: 0, env });
  });
  afterAll(async () => {
    await system.stop();
    await host.close();
  });

  async function converse(token: string): Promise<string> {
    const response = await fetch(`${url()}/v1/conversations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: '{}',
    });
    return ((await response.json()) as { id: string }).id;
  }

  test('an event stream says so last, and is closed', async () => {
    const room = `conversation:${await converse(await host.sign({}))}`;
    const exp = Math.ceil(now()) + 2;
    const stream = new SseClient({ url: url(), token: await host.sign({ exp }), room });
    await stream.connect();
    await stream.end();
    expect(now()).toBeGreaterThan(exp - 0.1);
    expect(stream.events.at(-1)).toMatchObject({ type: 'session.expired' });
    expect(stream.frames.at(-1)).toMatchObject({ event: 'session.expired', id: stream.frames.at(-2)?.id });
  });

  test('an event stream whose token has just ended says so at once', async () => {
    const token = await host.sign({ exp: Math.floor(now()) - 2 });
    const stream = new SseClient({ url: url(), token, room: '' }, '/v1/events?room=user:ada');
    await stream.connect('1-1');
    await stream.end();
    expect(stream.events.map(({ type }) => type)).toEqual(['session.expired']);
  });

  test('a socket is told ahead, and closed unless it brings a fresh one', async () => {
    const room = `conversation:${await converse(await host.sign({}))}`;
    const exp = Math.ceil(now()) + 2;
    const [leaving, staying] = await Promise.all(
      [1, 2].map(async () => PlainSocket.connect(url(), await host.sign({ exp }))),
    );
    if (!leaving || !staying) throw new Error('two sockets were opened');
    for (const socket of [leaving, staying]) {
      expect(await socket.ask('join', { room })).toMatchObject({ ok: true });
      await socket.waitFor('session.expiring');
    }
    expect(await staying.ask('authenticate', { token: await host.sign({}) })).toEqual({ ok: true });
    expect(await leaving.closed).toBe('io server disconnect');
    expect(now()).toBeGreaterThan(exp - 0.1);
    expect(await staying.ask('join', { room })).toMatchObject({ ok: true });
    staying.close();
  });
});

test('an expired invitation, or one of a conversation that is gone, opens nothing', async () => {
  const system = await startSystem({ workers: 0 });
  const sql = postgres(system.databaseUrl, { max: 1 });
  try {
    const [ada, bob] = [await Person.signIn(system.api(), 'Ada'), await Person.signIn(system.api(), 'Bob')];
    const invite = async (conversationId: string) =>
      (await ada.call<{ token: string }>('POST', `/v1/conversations/${conversationId}/invites`, {})).body
        .token;
    const [late, gone] = [await ada.converse(), await ada.converse()];
    const tokens = [await invite(late), await invite(gone)];
    await sql`update invites set expires_at = now() where conversation_id = ${late}`;
    await ada.call('DELETE', `/v1/conversations/${gone}`);
    for (const token of tokens)
      expect(await bob.call('POST', `/v1/invites/${token}/accept`)).toMatchObject({
        status: 404,
        body: { code: 'not_found' },
      });
    expect((await bob.http.listConversations()).items).toEqual([]);
  } finally {
    await sql.end();
    await system.stop();
  }
});
