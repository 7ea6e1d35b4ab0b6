import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MemberRole } from '../../../src/domain/conversation.js';
import { addMember } from '../../../src/store/members.js';
import { startTestApi, type Caller, type TestApi } from './test-api.js';

let api: TestApi;
let ada: Caller;
let bob: Caller;
let stranger: Caller;

beforeAll(async () => {
  api = await startTestApi();
  [ada, bob, stranger] = await Promise.all([api.signIn('Ada'), api.signIn('Bob'), api.signIn('Eve')]);
  // A user is known from the first request on.
  await Promise.all([bob.call('GET', '/v1/me'), stranger.call('GET', '/v1/me')]);
});
afterAll(() => api.close());

async function makeConversation(fields: object = {}, owner = ada): Promise<string> {
  const { body } = await owner.call('POST', '/v1/conversations', fields);
  return (body as { id: string }).id;
}

const join = (conversationId: string, { user }: Caller, role: MemberRole) =>
  api.db.transaction((tx) => addMember(tx, conversationId, user.id, role));

describe('a conversation', () => {
  test('is made, read, changed and deleted by its owner', async () => {
    const made = await ada.call('POST', '/v1/conversations', {
      title: 'Trip',
      system: 'Be brief.',
      model: 'demo',
    });
    expect(made.status).toBe(201);
    const conversation = made.body as { id: string; createdAt: string };
    expect(conversation).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
      title: 'Trip',
      system: 'Be brief.',
      model: 'demo',
      concurrency: 'queue',
      role: 'owner',
      unread: 0,
      running: 0,
      createdAt: new Date(conversation.createdAt).toISOString(),
      updatedAt: conversation.createdAt,
    });
    const path = `/v1/conversations/${conversation.id}`;
    expect(made.headers.get('location')).toBe(path);
    expect((await ada.call('GET', path)).body).toEqual(conversation);

    const changed = await ada.call('PATCH', path, { title: null, concurrency: 'reject' });
    expect(changed).toMatchObject({
      status: 200,
      body: { title: null, concurrency: 'reject', system: 'Be brief.', role: 'owner' },
    });
    expect(await ada.call('DELETE', path)).toMatchObject({ status: 204, body: '' });
    expect((await ada.call('GET', path)).status).toBe(404);
    expect((await ada.call('DELETE', path)).status).toBe(404);
  });

  test('may begin with a history', async () => {
    const id = await makeConversation({
      messages: [
        { role: 'assistant', content: 'Hello.' },
        { role: 'user', content: 'One?' },
        { role: 'user', content: [{ type: 'text', text: 'Two?' }] },
        { role: 'assistant', content: 'Three.' },
      ],
    });
    const { body } = await ada.call('GET', `/v1/conversations/${id}/messages`);
    const { items } = body as { items: { position: number; text: string; author: unknown }[] };
    expect(items.map(({ position, text }) => [position, text])).toEqual([
      [1, 'Hello.'],
      [2, 'One?'],
      [4, 'Two?'],
      [5, 'Three.'],
    ]);
    expect(items.map(({ author }) => author)).toEqual([null, ada.user, ada.user, null]);
  });

  test('is refused with wrong fields, each named', async () => {
    const wrong: [object, string][] = [
      [{ title: 'x'.repeat(201) }, 'title'],
      [{ concurrency: 'sometimes' }, 'concurrency'],
      [{ messages: [{ role: 'system', content: 'x' }] }, 'messages.0.role'],
      [{ messages: [{ role: 'user', content: 'x'.repeat(1001) }] }, 'messages.0.content'],
      [{ title: 'a\0b' }, 'title'],
    ];
    for (const [fields, path] of wrong) {
      const answer = await ada.call('POST', '/v1/conversations', fields);
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request', errors: [{ path }] } });
    }
    for (const model of ['claude-sonnet-4-6', 'nobody-knows'])
      expect(await ada.call('POST', '/v1/conversations', { model })).toMatchObject({
        status: 422,
        body: { code: 'unsupported_model' },
      });
  });
});

describe('the list of conversations', () => {
  test('comes in pages, the last changed first, with those of the caller alone', async () => {
    const carl = await api.signIn('Carl');
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.unshift(await makeConversation({ title: `No ${i}` }, carl));
    const listed: string[] = [];
    let path = '/v1/conversations?limit=2';
    const sizes = [];
    for (;;) {
      const { body } = await carl.call('GET', path);
      const { items, nextBefore } = body as { items: { id: string }[]; nextBefore: string | null };
      sizes.push(items.length);
      listed.push(...items.map(({ id }) => id));
      if (nextBefore === null) break;
      path = `/v1/conversations?limit=2&before=${nextBefore}`;
    }
    expect(sizes).toEqual([2, 2, 1]);
    expect(listed).toEqual(ids);
  });

  test('is searched in titles and texts, to the letter', async () => {
    const dora = await api.signIn('Dora');
    const byTitle = await makeConversation({ title: '100% Wool_' }, dora);
    const byText = await makeConversation(
      { messages: [{ role: 'user', content: 'where is my WOOL?' }] },
      dora,
    );
    await makeConversation({ title: 'Cotton', messages: [{ role: 'user', content: '100 x' }] }, dora);
    await makeConversation({ title: 'wool of somebody else' });
    const search = async (q: string) => {
      const { body } = await dora.call('GET', `/v1/conversations?q=${encodeURIComponent(q)}`);
      return (body as { items: { id: string }[] }).items.map(({ id }) => id);
    };
    expect(await search('wool')).toEqual([byText, byTitle]);
    expect(await search('100%')).toEqual([byTitle]);
    expect(await search('wool_')).toEqual([byTitle]);
    expect(await search('\\')).toEqual([]);
  });

  test('refuses a page that is none', async () => {
    for (const query of ['limit=0', 'limit=201', 'limit=x', 'limit=1&limit=2', 'before=x'])
      expect(await ada.call('GET', `/v1/conversations?${query}`)).toMatchObject({
        status: 400,
        body: { code: 'invalid_request' },
      });
  });
});

describe('who may do what', () => {
  const doors = (id: string): [string, string, unknown?][] => [
    ['GET', `/v1/conversations/${id}`],
    ['PATCH', `/v1/conversations/${id}`, { title: 'x' }],
    ['DELETE', `/v1/conversations/${id}`],
    ['POST', `/v1/conversations/${id}/cancel`],
    ['POST', `/v1/conversations/${id}/read`, { position: 0 }],
    ['GET', `/v1/conversations/${id}/members`],
    ['GET', `/v1/conversations/${id}/messages`],
    ['POST', `/v1/conversations/${id}/messages`, { content: 'x' }],
    ['DELETE', `/v1/conversations/${id}/messages`],
  ];

  test('an outsider learns as much of a conversation as of one that is not there, or cannot be', async () => {
    const id = await makeConversation();
    for (const candidate of [id, randomUUID(), 'x', id.toUpperCase(), '%00', '%zz'])
      for (const [method, path, body] of doors(candidate)) {
        const answer = await stranger.call(method, path, body);
        expect([method, path, answer.status]).toEqual([method, path, 404]);
        expect(answer.body).toMatchObject({ code: 'not_found' });
      }
    expect((await ada.call('GET', `/v1/conversations/${id}`)).status).toBe(200);
  });

  test('a viewer reads, and is forbidden the rest', async () => {
    const id = await makeConversation();
    await join(id, bob, 'viewer');
    const statuses = [];
    for (const [method, path, body] of doors(id)) statuses.push((await bob.call(method, path, body)).status);
    expect(statuses).toEqual([200, 403, 403, 403, 204, 200, 200, 403, 403]);
    expect((await bob.call('GET', `/v1/conversations/${id}`)).body).toMatchObject({ role: 'viewer' });
  });

  test('a member writes, but does not clear or delete', async () => {
    const id = await makeConversation();
    await join(id, bob, 'member');
    const statuses = [];
    for (const [method, path, body] of doors(id)) statuses.push((await bob.call(method, path, body)).status);
    expect(statuses).toEqual([200, 200, 403, 200, 204, 200, 200, 202, 403]);
  });

  test('a generation is known to the members of its conversation alone', async () => {
    const id = await makeConversation();
    await join(id, bob, 'viewer');
    const { body } = await ada.call('POST', `/v1/conversations/${id}/messages`, { content: 'x' });
    const path = `/v1/generations/${(body as { generation: { id: string } }).generation.id}`;
    expect((await bob.call('GET', path)).status).toBe(200);
    expect((await bob.call('POST', `${path}/cancel`)).body).toMatchObject({ code: 'forbidden' });
    for (const [method, at] of [
      ['GET', path],
      ['POST', `${path}/cancel`],
    ] as const)
      expect((await stranger.call(method, at)).body).toMatchObject({ code: 'not_found' });
    for (const unknown of [randomUUID(), 'x'])
      expect((await ada.call('GET', `/v1/generations/${unknown}`)).status).toBe(404);
  });
});

describe('members', () => {
  test('are listed, leave, and are removed by the owner', async () => {
    const id = await makeConversation();
    const path = `/v1/conversations/${id}/members`;
    await join(id, bob, 'member');
    await join(id, stranger, 'viewer');
    const roles = async () => {
      const { body } = await ada.call('GET', path);
      const { items } = body as { items: { user: { name: string }; role: string }[] };
      return items.map(({ user, role }) => `${user.name}: ${role}`);
    };
    expect(await roles()).toEqual(['Ada: owner', 'Bob: member', 'Eve: viewer']);

    expect((await bob.call('DELETE', `${path}/${stranger.user.id}`)).status).toBe(403);
    expect((await ada.call('DELETE', `${path}/${stranger.user.id}`)).status).toBe(204);
    expect((await stranger.call('GET', `/v1/conversations/${id}`)).status).toBe(404);
    for (const nobody of [stranger.user.id, 'auth0%7Cx', '%00'])
      expect((await ada.call('DELETE', `${path}/${nobody}`)).status).toBe(404);

    expect((await bob.call('DELETE', `${path}/${bob.user.id}`)).status).toBe(204);
    expect((await bob.call('GET', path)).status).toBe(404);
    expect((await ada.call('DELETE', `${path}/${ada.user.id}`)).status).toBe(403);
    expect(await roles()).toEqual(['Ada: owner']);
  });

  test('have not read what others wrote since they last said so', async () => {
    const id = await makeConversation();
    await join(id, bob, 'member');
    const remark = () =>
      ada.call('POST', `/v1/conversations/${id}/messages`, { content: 'x', generate: false });
    const unread = async (reader: Caller) => {
      const { body } = await reader.call('GET', `/v1/conversations/${id}`);
      return (body as { unread: number }).unread;
    };
    const first = (await remark()).body as { message: { position: number } };
    await remark();
    expect([await unread(ada), await unread(bob)]).toEqual([0, 2]);
    const read = (position: unknown) => bob.call('POST', `/v1/conversations/${id}/read`, { position });
    await read(first.message.position);
    expect(await unread(bob)).toBe(1);
    await read(Number.MAX_SAFE_INTEGER);
    expect(await unread(bob)).toBe(0);
    await read(0);
    expect(await unread(bob)).toBe(0);
    await remark();
    expect(await unread(bob)).toBe(1);
    for (const position of [-1, 1.5, 'x', 1e300]) expect((await read(position)).status).toBe(400);
  });
});
