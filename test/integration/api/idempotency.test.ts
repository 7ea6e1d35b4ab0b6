import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Message } from '../../../src/domain/conversation.js';
import type { Generation } from '../../../src/domain/generation.js';
import { startTestApi, type Caller, type CallOptions, type TestApi } from './test-api.js';

let api: TestApi;
let ada: Caller;

beforeAll(async () => {
  api = await startTestApi();
  ada = await api.signIn('Ada');
});
afterAll(() => api.close());

async function makeConversation(fields: object = {}, owner = ada): Promise<string> {
  const { body } = await owner.call('POST', '/v1/conversations', fields);
  return `/v1/conversations/${(body as { id: string }).id}`;
}

const keyed = (key: string, headers: Record<string, string> = {}): CallOptions => ({
  headers: { 'idempotency-key': key, ...headers },
});

async function textsOf(path: string): Promise<string[]> {
  const { body } = await ada.call('GET', `${path}/messages`);
  return (body as { items: Message[] }).items.filter(({ role }) => role === 'user').map(({ text }) => text);
}

test('the same request with the same key is accepted once and answered the same', async () => {
  const path = await makeConversation();
  const first = await ada.call(
    'POST',
    `${path}/messages`,
    { content: 'x', metadata: { a: 1, b: 2 } },
    keyed('k'),
  );
  expect(first.status).toBe(202);
  expect(first.headers.get('idempotency-replayed')).toBeNull();
  // The order of keys and what is default anyway make no other request.
  const again = { metadata: { b: 2, a: 1 }, content: 'x', generate: true, unknown: 1 };
  const second = await ada.call('POST', `${path}/messages`, again, keyed('k'));
  expect(second).toMatchObject({ status: 202, body: first.body as object });
  expect(second.headers.get('idempotency-replayed')).toBe('true');
  expect(await textsOf(path)).toEqual(['x']);
});

test('another body under the same key is refused', async () => {
  const path = await makeConversation();
  await ada.call('POST', `${path}/messages`, { content: 'x' }, keyed('k'));
  for (const other of [{ content: 'y' }, { content: 'x', generate: false }, { content: 'x', clientId: 'c' }])
    expect(await ada.call('POST', `${path}/messages`, other, keyed('k'))).toMatchObject({
      status: 422,
      body: { code: 'idempotency_key_reused' },
    });
  expect(await textsOf(path)).toEqual(['x']);
});

test('a key counts for one user on one route alone', async () => {
  const bob = await api.signIn('Bob');
  const [one, two] = [await makeConversation(), await makeConversation()];
  const bobs = await makeConversation({}, bob);
  const statuses = [];
  for (const [caller, path] of [
    [ada, one],
    [ada, two],
    [bob, bobs],
  ] as const) {
    const { status, headers } = await caller.call(
      'POST',
      `${path}/messages`,
      { content: path },
      keyed('same'),
    );
    statuses.push([status, headers.get('idempotency-replayed')]);
  }
  expect(statuses).toEqual([
    [202, null],
    [202, null],
    [202, null],
  ]);
});

test('conversations are made once, too', async () => {
  const make = () => ada.call('POST', '/v1/conversations', { title: 'once' }, keyed('c1'));
  const answers = await Promise.all([make(), make(), make()]);
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
  expect(new Set(answers.map(({ body }) => (body as { id: string }).id)).size).toBe(1);
  expect(answers.filter(({ headers }) => headers.has('idempotency-replayed'))).toHaveLength(2);
});

test('what was refused leaves its key free', async () => {
  const path = await makeConversation({ concurrency: 'reject' });
  const first = (await ada.call('POST', `${path}/messages`, { content: '1' })).body as {
    generation: Generation;
  };
  const send = () => ada.call('POST', `${path}/messages`, { content: '2' }, keyed('k'));
  expect((await send()).status).toBe(409);
  await ada.call('POST', `/v1/generations/${first.generation.id}/cancel`);
  const accepted = await send();
  expect([accepted.status, accepted.headers.get('idempotency-replayed')]).toEqual([202, null]);
});

test('what was accepted while the conversation was free is answered again when it is busy', async () => {
  const path = await makeConversation({ concurrency: 'reject' });
  const send = () => ada.call('POST', `${path}/messages`, { content: '1' }, keyed('k'));
  expect([(await send()).status, (await send()).status]).toEqual([202, 202]);
});

test('thirty twins at once are one message', async () => {
  const path = await makeConversation();
  const answers = await Promise.all(
    Array.from({ length: 30 }, () => ada.call('POST', `${path}/messages`, { content: 'x' }, keyed('twins'))),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
  expect(new Set(answers.map(({ body }) => (body as { message: Message }).message.id)).size).toBe(1);
  expect(answers.filter(({ headers }) => headers.has('idempotency-replayed'))).toHaveLength(29);
  expect(await textsOf(path)).toEqual(['x']);
});

test('a hundred and fifty different messages at once are all accepted, each at its own place', async () => {
  const path = await makeConversation();
  const answers = await Promise.all(
    Array.from({ length: 150 }, (_, i) =>
      ada.call('POST', `${path}/messages`, { content: `${i}` }, keyed(`${i}`)),
    ),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
  const positions = answers.map(({ body }) => (body as { message: Message }).message.position);
  expect(positions.sort((a, b) => a - b)).toEqual(Array.from({ length: 150 }, (_, i) => 2 * i));
});

test('a twin waits five seconds for the first, then asks to try again', async () => {
  const path = await makeConversation();
  const id = path.split('/').at(-1) ?? '';
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let locked = (): void => undefined;
  const isLocked = new Promise<void>((resolve) => {
    locked = resolve;
  });
  const holder = api.db.transaction(async (tx) => {
    await tx.execute(sql`select 1 from conversations where id = ${id} for no key update`);
    locked();
    await released;
  });
  await isLocked;
  const begun = performance.now();
  const first = await ada.call('POST', `${path}/messages`, { content: 'x' }, keyed('slow'));
  expect(first).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  expect(first.headers.get('retry-after')).toBe('1');
  expect(performance.now() - begun).toBeGreaterThan(4500);
  release();
  await holder;
  expect((await ada.call('POST', `${path}/messages`, { content: 'x' }, keyed('slow'))).status).toBe(202);
});

test('Accept and Prefer apply anew to what was accepted before', async () => {
  const path = await makeConversation();
  const send = (headers: Record<string, string> = {}) =>
    ada.call('POST', `${path}/messages`, { content: 'x' }, keyed('k', headers));
  const { generation } = (await send()).body as { generation: Generation };

  const streamed = await send({ accept: 'text/event-stream' });
  expect(streamed.body).toBe(`data: ${generation.id} ${ada.user.id}\n\n`);
  expect(streamed.headers.get('idempotency-replayed')).toBe('true');

  await ada.call('POST', `/v1/generations/${generation.id}/cancel`);
  const begun = api.streams.nextWait();
  const waiting = send({ prefer: 'wait=5' });
  (await begun).end();
  const waited = await waiting;
  expect(waited).toMatchObject({
    status: 200,
    body: { generation: { id: generation.id, status: 'cancelled' } },
  });
  expect(waited.headers.get('idempotency-replayed')).toBe('true');
});

test('a key must be one', async () => {
  const path = await makeConversation();
  for (const key of ['', 'a b', 'x'.repeat(256)])
    expect((await ada.call('POST', `${path}/messages`, { content: 'x' }, keyed(key))).status).toBe(400);
});
