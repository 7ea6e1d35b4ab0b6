import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Message } from '../../../src/domain/conversation.js';
import type { Generation } from '../../../src/domain/generation.js';
import { RoomLog } from '../../../src/redis/room-log.js';
import { beginGeneration } from '../../../src/service/attempt.js';
import { conversationRoom } from '../../../src/wire/room.js';
import { startTestApi, type Caller, type CallOptions, type TestApi } from './test-api.js';

interface Accepted {
  message: Message;
  generation: Generation;
}

let api: TestApi;
let ada: Caller;

beforeAll(async () => {
  api = await startTestApi({ maxQueuedGenerations: 100 });
  ada = await api.signIn('Ada');
});
afterAll(() => api.close());

async function makeConversation(fields: object = {}) {
  const { body } = await ada.call('POST', '/v1/conversations', fields);
  const path = `/v1/conversations/${(body as { id: string }).id}`;
  return {
    path,
    send: async (message: object, options?: CallOptions) => {
      const answer = await ada.call('POST', `${path}/messages`, message, options);
      return { ...answer, body: answer.body as Accepted };
    },
    list: async (query = '') => {
      const { body: page } = await ada.call('GET', `${path}/messages${query}`);
      return page as { items: Message[]; nextBefore: string | null };
    },
  };
}

describe('a message', () => {
  test('is accepted with its generation, which waits in the queue', async () => {
    const { path, send } = await makeConversation({ model: 'demo' });
    const { status, headers, body } = await send({
      content: 'Why?',
      clientId: 'c1',
      metadata: { colour: 'blue', n: [1, null] },
      generate: { maxTokens: 50 },
    });
    expect(status).toBe(202);
    expect(body.message).toEqual({
      id: expect.any(String) as unknown,
      conversationId: path.split('/').at(-1),
      role: 'user',
      author: ada.user,
      text: 'Why?',
      content: [{ type: 'text', text: 'Why?' }],
      status: 'complete',
      generationId: null,
      clientId: 'c1',
      metadata: { colour: 'blue', n: [1, null] },
      position: 0,
      createdAt: expect.any(String) as unknown,
    });
    expect(body.generation).toMatchObject({
      status: 'queued',
      attempt: 0,
      model: 'demo',
      provider: 'demo',
      options: { maxTokens: 50 },
      promptId: body.message.id,
      position: 1,
      text: '',
      content: [],
      usage: null,
      error: null,
    });
    expect(headers.get('location')).toBe(`/v1/generations/${body.generation.id}`);
    const read = await ada.call('GET', `/v1/generations/${body.generation.id}`);
    expect(read).toMatchObject({ status: 200, body: body.generation });
    expect((await ada.call('GET', path)).body).toMatchObject({ running: 1 });
  });

  test('may be a remark between people, or blocks', async () => {
    const { path, send, list } = await makeConversation();
    const remark = await send({ content: 'psst', generate: false });
    expect(remark).toMatchObject({ status: 201, body: { message: { text: 'psst' } } });
    expect(remark.body).not.toHaveProperty('generation');
    const blocks = [
      { type: 'text', text: 'a' },
      { type: 'tool_result', tool_use_id: 't1', content: 'sunny' },
    ];
    expect((await send({ content: blocks, generate: false })).body.message).toMatchObject({
      content: blocks,
      text: 'a',
    });
    expect((await list()).items).toHaveLength(2);
    expect((await ada.call('GET', path)).body).toMatchObject({ running: 0 });
  });

  test('is refused when it is empty, too long, not text, or has options that nobody knows', async () => {
    const { send, list } = await makeConversation();
    const wrong: [object, string][] = [
      [{}, 'content'],
      [{ content: '' }, 'content'],
      [{ content: 'x'.repeat(1001) }, 'content'],
      [{ content: 'a\0b' }, 'content'],
      [{ content: '\ud83d' }, 'content'],
      [{ content: [{ type: 'image' }] }, 'content.0.type'],
      [{ content: [{ type: 'text', text: 'x'.repeat(1001) }] }, 'content.0.text'],
      [{ content: 'x', metadata: { a: 'x'.repeat(5000) } }, 'metadata'],
      [{ content: 'x', metadata: { a: 'ü'.repeat(2100) } }, 'metadata'],
      [{ content: 'x', metadata: { a: ['\0'] } }, 'metadata.a.0'],
      [{ content: 'x', generate: { temperature: 3 } }, 'generate.temperature'],
      [{ content: 'x', generate: { temprature: 1 } }, 'generate'],
      [{ content: 'x', generate: 'yes' }, 'generate'],
    ];
    for (const [message, path] of wrong) {
      const { status, body } = await send(message);
      expect({ message, status, body }).toMatchObject({ message, status: 400, body: { errors: [{ path }] } });
    }
    expect(await send({ content: [{ type: 'text', text: '' }] })).toMatchObject({ status: 400 });
    expect(await send({ content: 'x', generate: { model: 'gpt-x' } })).toMatchObject({ status: 422 });
    expect((await list()).items).toEqual([]);
    expect((await send({ content: 'x'.repeat(1000), generate: false })).status).toBe(201);
  });

  test('keeps odd keys of its metadata as they are, without harm', async () => {
    const { send } = await makeConversation();
    const { status, body } = await send(
      {},
      {
        raw: '{"content":"x","generate":false,"__proto__":{"a":1},"metadata":{"constructor":{"prototype":1},"k":1}}',
      },
    );
    expect(status).toBe(201);
    expect(body.message.metadata).toEqual({ constructor: { prototype: 1 }, k: 1 });
    expect({}).not.toHaveProperty('a');
  });
});

describe('the list of messages', () => {
  test('has each prompt followed by its answer, in pages from the newest, each with the newest last', async () => {
    const { send, list } = await makeConversation({ concurrency: 'parallel' });
    const answers: string[] = [];
    for (let i = 0; i < 4; i++) {
      const { body } = await send({ content: `prompt ${i}`, generate: i === 2 ? false : true });
      answers.push(body.message.id);
      if (i !== 2) answers.push(body.generation.messageId);
    }
    const all = await list();
    expect(all.items.map(({ id }) => id)).toEqual(answers);
    expect(all.items.map(({ role }) => role[0]).join('')).toBe('uauauua');
    expect(all.items.map(({ position }) => position)).toEqual([0, 1, 2, 3, 4, 6, 7]);
    expect(all.nextBefore).toBeNull();

    const pages: string[][] = [];
    let before: string | null = null;
    do {
      const page: { items: Message[]; nextBefore: string | null } = await list(
        `?limit=3${before ? `&before=${before}` : ''}`,
      );
      pages.unshift(page.items.map(({ id }) => id));
      before = page.nextBefore;
    } while (before !== null);
    expect(pages.map((page) => page.length)).toEqual([1, 3, 3]);
    expect(pages.flat()).toEqual(answers);
  });

  test('shows what is being written as far as it is, and so does its generation', async () => {
    const { path, send, list } = await makeConversation();
    const { body } = await send({ content: 'Why?' });
    const { generation } = body;
    expect((await list()).items.at(-1)).toMatchObject({
      id: generation.messageId,
      role: 'assistant',
      author: null,
      status: 'streaming',
      generationId: generation.id,
      text: '',
    });

    const attempt = await beginGeneration(api.context, generation.id);
    const chunks = [
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Because' } },
    ];
    const transcript = chunks.map((chunk) => `\n${JSON.stringify(chunk)}`).join('');
    const room = conversationRoom(path.split('/').at(-1) ?? '');
    expect(api.context.roomLog).toBeInstanceOf(RoomLog);
    await api.context.roomLog.open(room, generation.id, attempt?.generation.attempt ?? 0, {
      mode: 'replace',
      n: 1,
      transcript,
    });
    expect((await list()).items.at(-1)).toMatchObject({
      status: 'streaming',
      text: 'Because',
      content: [{ type: 'text', text: 'Because' }],
    });
    expect((await ada.call('GET', `/v1/generations/${generation.id}`)).body).toMatchObject({
      status: 'running',
      attempt: 1,
      text: 'Because',
    });
  });

  test('is cleared, and what ran is cancelled', async () => {
    const { path, send, list } = await makeConversation();
    const { body } = await send({ content: 'x' });
    expect((await ada.call('DELETE', `${path}/messages`)).status).toBe(204);
    expect((await list()).items).toEqual([]);
    expect((await ada.call('GET', `/v1/generations/${body.generation.id}`)).body).toMatchObject({
      status: 'cancelled',
      stopReason: 'cancelled',
      error: null,
    });
  });
});

describe('cancelling', () => {
  test('ends a queued generation once, and lets the next one go', async () => {
    const { send } = await makeConversation();
    const first = (await send({ content: '1' })).body.generation;
    const second = (await send({ content: '2' })).body.generation;
    expect([first.status, second.status]).toEqual(['queued', 'waiting']);
    const cancel = () => ada.call('POST', `/v1/generations/${first.id}/cancel`, {});
    expect(await cancel()).toMatchObject({
      status: 202,
      body: {
        id: first.id,
        status: 'cancelled',
        stopReason: 'cancelled',
        endedAt: expect.any(String) as unknown,
      },
    });
    expect(await cancel()).toMatchObject({ status: 409, body: { code: 'generation_ended' } });
    expect((await ada.call('GET', `/v1/generations/${second.id}`)).body).toMatchObject({ status: 'queued' });
  });

  test('takes all of a conversation, those that wait included', async () => {
    const { path, send, list } = await makeConversation();
    for (const content of ['1', '2', '3']) await send({ content });
    const { status, body } = await ada.call('POST', `${path}/cancel`);
    const { generations } = body as { generations: Generation[] };
    expect([status, ...generations.map((generation) => generation.status)]).toEqual([
      200,
      'cancelled',
      'cancelled',
      'cancelled',
    ]);
    expect((await ada.call('POST', `${path}/cancel`)).body).toEqual({ generations: [] });
    // Nothing was written: the answers are gone, the prompts stay.
    expect((await list()).items.map(({ text }) => text)).toEqual(['1', '2', '3']);
  });
});

describe('a conversation that is being answered', () => {
  test('refuses with reject, and stores nothing', async () => {
    const { send, list } = await makeConversation({ concurrency: 'reject' });
    await send({ content: '1' });
    expect(await send({ content: '2' })).toMatchObject({ status: 409, body: { code: 'conversation_busy' } });
    expect((await send({ content: 'psst', generate: false })).status).toBe(201);
    expect((await list()).items.map(({ text }) => text)).toEqual(['1', '', 'psst']);
  });

  test('begins anew with interrupt', async () => {
    const { send } = await makeConversation({ concurrency: 'interrupt' });
    const first = (await send({ content: '1' })).body.generation;
    expect((await send({ content: '2' })).body.generation.status).toBe('queued');
    expect((await ada.call('GET', `/v1/generations/${first.id}`)).body).toMatchObject({
      status: 'cancelled',
      stopReason: 'interrupted',
    });
  });
});

describe('the answer to a message', () => {
  test('is the stream of its generation for who accepts event streams', async () => {
    const { send } = await makeConversation();
    const { status, headers, body } = await send(
      { content: 'x' },
      { headers: { accept: 'text/event-stream' } },
    );
    const id = headers.get('location')?.split('/').at(-1);
    expect({ status, body }).toEqual({ status: 200, body: `data: ${id} ${ada.user.id}\n\n` });
  });

  test('comes when the generation has ended for who prefers to wait', async () => {
    const { send } = await makeConversation();
    const begun = api.streams.nextWait();
    const answer = send({ content: 'x' }, { headers: { prefer: 'respond-async, wait=600' } });
    const { generationId, timeoutMs, end } = await begun;
    expect(timeoutMs).toBe(50_000);
    await ada.call('POST', `/v1/generations/${generationId}/cancel`);
    end();
    expect(await answer).toMatchObject({
      status: 200,
      body: { message: { text: 'x' }, generation: { id: generationId, status: 'cancelled' } },
    });
  });

  test('comes as an acceptance when waiting was in vain', async () => {
    const { send } = await makeConversation();
    const begun = api.streams.nextWait();
    const answer = send({ content: 'x' }, { headers: { prefer: 'wait=1' } });
    (await begun).end();
    expect(await answer).toMatchObject({ status: 202, body: { generation: { status: 'queued' } } });
  });

  test('is given up when the client leaves early, and nothing is cancelled', async () => {
    const { send } = await makeConversation();
    const begun = api.streams.nextWait();
    const leaving = new AbortController();
    const answer = send({ content: 'x' }, { headers: { prefer: 'wait=10' }, signal: leaving.signal });
    const { generationId, left } = await begun;
    leaving.abort();
    await expect(answer).rejects.toThrow();
    await left;
    expect((await ada.call('GET', `/v1/generations/${generationId}`)).body).toMatchObject({
      status: 'queued',
    });
  });

  test('is not waited for by who left while the message was being accepted', async () => {
    const { path, send } = await makeConversation();
    const begun = api.streams.nextWait();
    const leaving = new AbortController();
    await api.db.transaction(async (tx) => {
      await tx.execute(sql`select from conversations where id = ${path.split('/').at(-1)} for update`);
      const answer = send({ content: 'x' }, { headers: { prefer: 'wait=10' }, signal: leaving.signal });
      await vi.waitFor(async () => {
        const held = sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
        expect((await api.db.execute(held)).rows).toHaveLength(1);
      });
      leaving.abort();
      await expect(answer).rejects.toThrow();
      await vi.waitFor(() => {
        expect(api.log.join('')).toMatch(new RegExp(`"path":"${path}/messages".*request aborted`));
      });
    });
    await (
      await begun
    ).left;
  });
});

test('past the longest queue there is no room for a generation, but for a remark', async () => {
  const full = await startTestApi({ maxQueuedGenerations: 1 });
  const bob = await full.signIn('Bob');
  const { body } = await bob.call('POST', '/v1/conversations', {});
  const path = `/v1/conversations/${(body as { id: string }).id}/messages`;
  expect((await bob.call('POST', path, { content: '1' })).status).toBe(202);
  const refused = await bob.call('POST', path, { content: '2' });
  expect(refused).toMatchObject({ status: 503, body: { code: 'queue_full' } });
  expect(refused.headers.get('retry-after')).toBe('5');
  expect((await bob.call('POST', path, { content: '3', generate: false })).status).toBe(201);
  await full.close();
});

test('a user sends no more messages a minute than are allowed, remarks included', async () => {
  const strict = await startTestApi({ settings: { limits: { userMessagesPerMinute: 2 } } });
  const [bob, eve] = await Promise.all([strict.signIn('Bob'), strict.signIn('Eve')]);
  const { body } = await bob.call('POST', '/v1/conversations', {});
  const path = `/v1/conversations/${(body as { id: string }).id}/messages`;
  const remark = { content: 'x', generate: false };
  const key = { headers: { 'idempotency-key': 'k1' } };
  expect((await bob.call('POST', path, remark, key)).status).toBe(201);
  expect((await bob.call('POST', path, { content: 'x' })).status).toBe(202);
  const refused = await bob.call('POST', path, remark);
  expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60);
  // What was accepted before is answered again, and a refused key is free.
  expect((await bob.call('POST', path, remark, key)).status).toBe(201);
  expect((await bob.call('POST', path, remark, { headers: { 'idempotency-key': 'k2' } })).status).toBe(429);
  expect((await eve.call('POST', path, remark)).status).toBe(404);
  await strict.close();
});
