import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ConversationView, Generation, Message } from '../../src/client/index.js';
import type { RoomEventOf, UserSnapshot } from '../../src/wire/room-events.js';
import type { JoinAck } from '../../src/wire/socket-events.js';
import { Person } from '../support/person.js';
import { openScene, type Scene } from '../support/scene.js';

/** What several people do in a room besides asking. */

let scene: Scene;
let ada: Person;
let bob: Person;

beforeAll(async () => {
  scene = await openScene({ apis: 2 });
  ada = scene.ada;
  bob = await Person.signIn(scene.system.api(1), 'Bob');
});

afterAll(async () => {
  bob.leave();
  await scene.close();
});

const messagesOf = async (conversationId: string) => (await ada.http.listMessages(conversationId)).items;

/** A conversation with one question that has been answered. */
async function answered(text = 'the answer') {
  const asked = await scene.ask();
  asked.model.text(text).stop();
  await ada.ended(asked.generation.id);
  const answer = (await messagesOf(asked.conversationId)).at(-1);
  if (!answer) throw new Error('there is no answer');
  return { ...asked, answer };
}

async function invite(conversationId: string, role?: 'member' | 'viewer') {
  const { status, body } = await ada.call<{ token: string; url: string; expiresAt: string }>(
    'POST',
    `/v1/conversations/${conversationId}/invites`,
    role && { role },
  );
  expect(status).toBe(201);
  return body;
}

const accept = (person: Person, token: string) =>
  person.call<ConversationView>('POST', `/v1/invites/${token}/accept`);

describe('an invitation', () => {
  test('makes who opens it a member, and the room is told', async () => {
    const conversationId = await ada.converse({ title: 'Trip' });
    const watching = ada.socket(conversationId);
    await watching.connect();
    const { token, url, expiresAt } = await invite(conversationId);
    expect(url).toBe(`${scene.system.api().url}/invite/${token}`);
    expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now());
    expect((await bob.call('GET', `/v1/conversations/${conversationId}`)).status).toBe(404);

    expect(await accept(bob, token)).toMatchObject({
      status: 200,
      body: { id: conversationId, title: 'Trip', role: 'member' },
    });
    expect(await watching.waitFor('member.joined')).toMatchObject({ user: bob.user });
    const { status } = await bob.call('POST', `/v1/conversations/${conversationId}/messages`, {
      content: 'hello',
      generate: false,
    });
    expect(status).toBe(201);
    // Once more changes nothing: neither the role nor the room.
    expect((await accept(ada, token)).body).toMatchObject({ role: 'owner' });
  });

  test('of a viewer lets look and nothing else', async () => {
    const conversationId = await ada.converse();
    const { token } = await invite(conversationId, 'viewer');
    expect((await accept(bob, token)).body).toMatchObject({ role: 'viewer' });
    const path = `/v1/conversations/${conversationId}`;
    expect((await bob.call('GET', `${path}/messages`)).status).toBe(200);
    for (const [method, rest, body] of [
      ['POST', '/messages', { content: 'hello' }],
      ['POST', '/cancel', undefined],
      ['POST', '/invites', {}],
      ['PATCH', '', { title: 'mine' }],
    ] as const)
      expect((await bob.call(method, path + rest, body)).status).toBe(403);
  });

  test('that nobody made, or of a role that there is not, is refused', async () => {
    const conversationId = await ada.converse();
    expect(await accept(bob, 'guessed')).toMatchObject({ status: 404, body: { code: 'not_found' } });
    const path = `/v1/conversations/${conversationId}/invites`;
    expect((await ada.call('POST', path, { role: 'owner' })).status).toBe(400);
    expect((await bob.call('POST', path, {})).status).toBe(404);
  });
});

describe('an edit', () => {
  test('in place changes the message for everybody, and is its author’s alone', async () => {
    const { conversationId, prompt, answer } = await answered();
    const watching = ada.eventStream(conversationId);
    await watching.connect();
    const path = `/v1/messages/${prompt.id}`;
    expect(await ada.call('PATCH', path, { content: 'better words' })).toMatchObject({
      status: 200,
      body: { id: prompt.id, text: 'better words', position: prompt.position },
    });
    expect(await watching.waitFor('message.updated')).toMatchObject({ message: { text: 'better words' } });
    expect((await messagesOf(conversationId)).map(({ text }) => text)).toEqual(['better words', answer.text]);
    expect((await bob.call('PATCH', path, { content: 'mine' })).status).toBe(404);
    await scene.system.addMember(conversationId, bob.user.id);
    expect((await bob.call('PATCH', path, { content: 'mine' })).status).toBe(403);
    expect((await ada.call('PATCH', path, { content: '' })).status).toBe(400);
  });

  test('with regenerate drops what follows, stops what runs, and asks again', async () => {
    const { conversationId, prompt } = await answered();
    const later = await scene.ask({ conversationId });
    const { status, body } = await ada.call<{ message: Message; generation: Generation }>(
      'PATCH',
      `/v1/messages/${prompt.id}`,
      { content: 'another question', regenerate: true },
    );
    expect(status).toBe(202);
    await later.model.closed;
    const model = await scene.modelFor('another question');
    expect(model.body.messages).toHaveLength(1);
    model.text('another answer').stop();
    await ada.ended(body.generation.id);
    expect((await messagesOf(conversationId)).map(({ text }) => text)).toEqual([
      'another question',
      'another answer',
    ]);
    expect(await ada.http.getGeneration(later.generation.id)).toMatchObject({ status: 'cancelled' });
  });

  test('that would drop what others wrote is the owner’s alone', async () => {
    const conversationId = await ada.converse();
    await scene.system.addMember(conversationId, bob.user.id);
    const send = async (person: Person, content: string) =>
      (await person.http.sendMessage(conversationId, { content, generate: false })).message;
    const first = await send(bob, 'one');
    await send(ada, 'two');
    const edit = { content: 'three', regenerate: true };
    expect((await bob.call('PATCH', `/v1/messages/${first.id}`, edit)).status).toBe(403);
    expect((await messagesOf(conversationId)).map(({ text }) => text)).toEqual(['one', 'two']);
  });
});

describe('deleting a message', () => {
  test('is its author’s and the owner’s, and stops its answer', async () => {
    const conversationId = await ada.converse();
    await scene.system.addMember(conversationId, bob.user.id);
    const asked = await scene.ask({ conversationId });
    asked.model.text('half an');
    const path = `/v1/messages/${asked.prompt.id}`;
    expect((await bob.call('DELETE', path)).status).toBe(403);
    expect((await ada.call('DELETE', path)).status).toBe(204);
    await asked.model.closed;
    expect(await messagesOf(conversationId)).toEqual([]);

    const remark = await bob.http.sendMessage(conversationId, { content: 'hm', generate: false });
    expect((await ada.call('DELETE', `/v1/messages/${remark.message.id}`)).status).toBe(204);
    expect((await ada.call('DELETE', `/v1/messages/${remark.message.id}`)).status).toBe(404);
  });
});

describe('answering anew', () => {
  test('replaces the old answer once the new one has ended with text', async () => {
    const { conversationId, prompt, answer } = await answered('old');
    const path = `/v1/messages/${answer.id}/regenerate`;
    const { status, body } = await ada.call<{ generation: Generation }>('POST', path, { maxTokens: 50 });
    expect(status).toBe(202);
    const model = await scene.modelFor(prompt.text);
    expect(model.body).toMatchObject({ max_tokens: 50 });
    expect(model.body.messages).toHaveLength(1);
    expect((await messagesOf(conversationId)).map(({ id }) => id)).toContain(answer.id);
    const stream = ada.generationStream(body.generation.id);
    await stream.connect();
    model.text('new').stop();
    expect(await stream.ended(body.generation.id)).toMatchObject({
      type: 'generation.completed',
      replacesMessageId: answer.id,
      message: { text: 'new', position: answer.position },
    });
    expect((await messagesOf(conversationId)).map(({ text }) => text)).toEqual([prompt.text, 'new']);
  });

  test('leaves the old answer where the new one fails without a word', async () => {
    const { conversationId, prompt, answer } = await answered('old');
    const path = `/v1/messages/${prompt.id}/regenerate`;
    const { body } = await ada.call<{ generation: Generation }>('POST', path);
    (await scene.modelFor(prompt.text)).fail(401);
    expect(await ada.ended(body.generation.id)).toMatchObject({ status: 'failed' });
    expect((await messagesOf(conversationId)).map(({ id }) => id)).toEqual([prompt.id, answer.id]);
  });

  test('answers a remark behind it, before what was said later', async () => {
    const conversationId = await ada.converse();
    const say = (content: string) => ada.http.sendMessage(conversationId, { content, generate: false });
    const { message } = await say('a remark to be answered');
    await say('said later');
    const { body } = await ada.call<{ generation: Generation }>(
      'POST',
      `/v1/messages/${message.id}/regenerate`,
    );
    (await scene.modelFor('a remark to be answered')).text('its answer').stop();
    await ada.ended(body.generation.id);
    expect((await messagesOf(conversationId)).map(({ text }) => text)).toEqual([
      'a remark to be answered',
      'its answer',
      'said later',
    ]);
  });
});

describe('continuing', () => {
  test('goes on from the partial text in the same message, which its stream repeats', async () => {
    const asked = await scene.ask();
    asked.model.text('Once upon a').stop({ stopReason: 'max_tokens' });
    await ada.ended(asked.generation.id);
    const watching = ada.socket(asked.conversationId);
    await watching.connect();

    const path = `/v1/generations/${asked.generation.id}/continue`;
    const { status, body } = await ada.call<{ generation: Generation }>('POST', path);
    expect(status).toBe(202);
    expect(body.generation).toMatchObject({
      messageId: asked.generation.messageId,
      model: 'claude-sonnet-4-5',
    });
    const model = await scene.modelFor(asked.prompt.text);
    expect(model.body.messages.at(-1)).toMatchObject({
      role: 'assistant',
      content: [{ text: 'Once upon a' }],
    });
    model.start({ id: 'msg_second' }).text(' time.').stop();
    const end = await watching.ended(body.generation.id);
    expect(end.generation.providerMessageId).toBe('msg_second');
    expect(watching.of('snapshot')).toHaveLength(1); // nobody who watches had to begin anew
    expect(watching.written(body.generation.id)).toBe('Once upon a time.');
    expect(end.message).toMatchObject({
      id: asked.generation.messageId,
      text: 'Once upon a time.',
      status: 'complete',
    });
    expect(await messagesOf(asked.conversationId)).toHaveLength(2);
    // It has been continued: there is nothing left to go on from.
    expect(await ada.call('POST', path)).toMatchObject({
      status: 409,
      body: { code: 'nothing_to_continue' },
    });
  });

  test('keeps what tools were asked and answered, and goes on from the last text', async () => {
    const asked = await scene.ask({ options: { tools: ['calculator'] } });
    asked.model
      .text('It is ')
      .call('c1', 'calculator', '{"expression":"6*7"}')
      .stop({ stopReason: 'tool_use' });
    const second = await scene.modelFor(asked.prompt.text);
    second.text('exactly').call('c2', 'calculator', '{"expr');
    const stream = ada.generationStream(asked.generation.id);
    await stream.connect();
    await stream.until(() => JSON.stringify(stream.state?.generations).includes('{\\"expr'));
    await ada.http.cancelGeneration(asked.generation.id);
    await stream.ended(asked.generation.id);

    const watching = ada.socket(asked.conversationId);
    await watching.connect();
    const { generation } = await ada.http.continueGeneration(asked.generation.id);
    const third = await scene.modelFor(asked.prompt.text);
    const kept = [
      { type: 'text', text: 'It is ' },
      { type: 'tool_use', id: 'c1', name: 'calculator', input: { expression: '6*7' } },
    ];
    const result = { type: 'tool_result', tool_use_id: 'c1', content: '42' };
    expect(third.body.messages.slice(1)).toEqual([
      { role: 'assistant', content: kept },
      { role: 'user', content: [result] },
      { role: 'assistant', content: [{ type: 'text', text: 'exactly' }] },
    ]);
    third.text(' 42.').stop();
    const { message } = await watching.ended(generation.id);
    expect(message?.content).toEqual([...kept, result, { type: 'text', text: 'exactly 42.' }]);
    expect(watching.written(generation.id)).toBe('It is exactly 42.');
  });

  test('of what has ended by itself, or has no text, is refused', async () => {
    const { generation } = await answered();
    expect(await ada.call('POST', `/v1/generations/${generation.id}/continue`)).toMatchObject({
      status: 409,
      body: { code: 'nothing_to_continue' },
    });
    const silent = await scene.ask();
    await ada.http.cancelGeneration(silent.generation.id);
    await ada.ended(silent.generation.id);
    expect((await ada.call('POST', `/v1/generations/${silent.generation.id}/continue`)).status).toBe(409);
  });

  test('keeps the text where it is cancelled before the model says more', async () => {
    const asked = await scene.ask();
    asked.model.text('half');
    const stream = ada.generationStream(asked.generation.id);
    await stream.connect();
    await stream.until(() => stream.written(asked.generation.id) === 'half');
    await ada.http.cancelGeneration(asked.generation.id);
    await stream.ended(asked.generation.id);
    const { body } = await ada.call<{ generation: Generation }>(
      'POST',
      `/v1/generations/${asked.generation.id}/continue`,
    );
    const model = await scene.modelFor(asked.prompt.text);
    await ada.http.cancelGeneration(body.generation.id);
    await model.closed;
    expect(await ada.ended(body.generation.id)).toMatchObject({ status: 'cancelled', text: 'half' });
    expect((await messagesOf(asked.conversationId)).at(-1)).toMatchObject({
      text: 'half',
      status: 'partial',
    });
  });
});

describe('a person’s list', () => {
  /** A socket that has joined the list of this user. */
  async function watchList(person: Person, userId = person.user.id) {
    const socket = io(scene.system.api(1).url, {
      forceNew: true,
      transports: ['websocket'],
      auth: { token: person.token },
    });
    const ack = (await socket.emitWithAck('join', { room: `user:${userId}` })) as JoinAck<UserSnapshot>;
    return { socket, ack };
  }
  const nextActivity = (socket: Socket) =>
    new Promise<RoomEventOf<'conversation.activity'>>((resolve) => {
      socket.once('conversation.activity', resolve);
    });

  test('is told of what happens in the conversations, unread messages included', async () => {
    const conversationId = await ada.converse({ title: 'Trip' });
    await scene.system.addMember(conversationId, bob.user.id);
    const { socket, ack } = await watchList(bob);
    try {
      expect(ack).toMatchObject({ ok: true, resumed: false, snapshot: { documents: [] } });
      const told = nextActivity(socket);
      await ada.http.sendMessage(conversationId, { content: 'hello', generate: false });
      expect(await told).toMatchObject({
        room: `user:${bob.user.id}`,
        conversation: { id: conversationId, title: 'Trip', unread: 1, role: 'member' },
      });
      const position = (await messagesOf(conversationId)).at(-1)?.position;
      const read = nextActivity(socket);
      const path = `/v1/conversations/${conversationId}/read`;
      expect((await bob.call('POST', path, { position })).status).toBe(204);
      expect(await read).toMatchObject({ conversation: { unread: 0 } });
    } finally {
      socket.disconnect();
    }
  });

  test('is nobody else’s', async () => {
    const { socket, ack } = await watchList(ada, bob.user.id);
    socket.disconnect();
    expect(ack).toMatchObject({ ok: false, error: { code: 'not_found' } });
  });
});
