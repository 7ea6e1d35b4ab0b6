import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callAsAdmin } from '../../support/admin.js';
import { startTestApi, type Caller, type TestApi } from './test-api.js';

/** Budgets for operators: read, limited and reset with the admin token. Without a worker: what is asked stays queued. */

const token = 'token-for-operators';
const model = 'claude-sonnet-4-5';

let api: TestApi;
let ada: Caller;

beforeAll(async () => {
  api = await startTestApi({
    providers: ['anthropic', 'demo'],
    budgets: { user: 5_000_000_000, conversation: 2_000_000_000 },
    settings: { adminToken: token },
  });
});
afterAll(() => api.close());

const admin = (method: string, path: string, body?: unknown) =>
  callAsAdmin(api, method, `/admin/budgets/${path}`, { body, token });

async function signIn(): Promise<void> {
  ada = await api.signIn('Ada');
}

async function converse(): Promise<string> {
  const { body } = await ada.call('POST', '/v1/conversations', { model });
  return (body as { id: string }).id;
}

const ask = (conversation: string, maxTokens: number) =>
  ada.call('POST', `/v1/conversations/${conversation}/messages`, {
    content: 'hello',
    generate: { maxTokens },
  });

describe('the settings', () => {
  test('limit every day of a user and every conversation', async () => {
    await signIn();
    const conversation = await converse();
    expect((await ada.call('GET', '/v1/me')).body).toEqual({
      user: ada.user,
      budget: { spentUsd: 0, reservedUsd: 0, limitUsd: 5 },
    });
    expect((await ada.call('GET', `/v1/conversations/${conversation}/budget`)).body).toEqual({
      spentUsd: 0,
      reservedUsd: 0,
      limitUsd: 2,
    });
  });

  test('are kept by what waits: the conversation’s is used up before the user’s', async () => {
    await signIn();
    const conversation = await converse();
    // $1.50 of output each; a model writes at most 64,000 tokens at once, here $0.96.
    expect((await ask(conversation, 100_000)).status).toBe(202);
    expect((await ask(conversation, 64_000)).status).toBe(202);
    const lowered = await ask(conversation, 64_000);
    expect(lowered.status).toBe(202);
    const { options } = (lowered.body as { generation: { options: { maxTokens: number } } }).generation;
    expect(options.maxTokens).toBeLessThan(5400);
    expect(await ask(conversation, 64_000)).toMatchObject({
      status: 402,
      body: { code: 'budget_exceeded', detail: expect.stringContaining('conversation') as string },
    });
    expect((await ask(await converse(), 64_000)).status).toBe(202);
  });
});

describe('an operator', () => {
  test('limits a user, lifts the limit, and goes back to the setting', async () => {
    await signIn();
    const path = `users/${encodeURIComponent(ada.user.id)}`;
    expect(await admin('PUT', path, { limitUsd: 0.25 })).toMatchObject({
      status: 200,
      body: { spentUsd: 0, reservedUsd: 0, limitUsd: 0.25 },
    });
    expect((await ada.call('GET', '/v1/me')).body).toMatchObject({ budget: { limitUsd: 0.25 } });
    expect((await ask(await converse(), 64_000)).status).toBe(202);
    expect(await ask(await converse(), 64_000)).toMatchObject({
      status: 402,
      body: { detail: expect.stringContaining('today') as string },
    });
    expect((await admin('PUT', path, { limitUsd: null })).body).toMatchObject({ limitUsd: null });
    expect((await ask(await converse(), 64_000)).status).toBe(202);
    const { reservedUsd } = (await admin('GET', path)).body as { reservedUsd: number };
    expect(reservedUsd).toBeGreaterThan(1);
    // What is reserved is being used.
    expect((await admin('DELETE', path)).body).toEqual({ spentUsd: 0, reservedUsd, limitUsd: 5 });
  });

  test('limits a conversation and has what was spent forgotten', async () => {
    await signIn();
    const conversation = await converse();
    const path = `conversations/${conversation}`;
    expect((await admin('PUT', path, { limitUsd: 1.000_000_001 })).body).toMatchObject({
      limitUsd: 1.000_000_001,
    });
    const { generation } = (await ask(conversation, 1000)).body as { generation: { id: string } };
    await ada.call('POST', `/v1/generations/${generation.id}/cancel`);
    await api.db.execute(`update budgets set spent_nano = 900000000 where subject = '${conversation}'`);
    expect((await admin('GET', path)).body).toMatchObject({ spentUsd: 0.9, reservedUsd: 0 });
    expect((await admin('DELETE', path)).body).toEqual({ spentUsd: 0, reservedUsd: 0, limitUsd: 2 });
  });

  test('may limit who has never been here, by any id, and no conversation that is not there', async () => {
    const odd = encodeURIComponent('auth0|a/b ü');
    expect(await admin('PUT', `users/${odd}`, { limitUsd: 3 })).toMatchObject({
      status: 200,
      body: { limitUsd: 3 },
    });
    expect((await admin('GET', `users/${odd}`)).body).toMatchObject({ limitUsd: 3 });
    for (const method of ['GET', 'DELETE'])
      expect(await admin(method, `conversations/${randomUUID()}`)).toMatchObject({ status: 404 });
    expect(await admin('PUT', `conversations/${randomUUID()}`, { limitUsd: 1 })).toMatchObject({
      status: 404,
    });
    expect(await admin('GET', 'users/%00')).toMatchObject({ status: 404 });
  });

  test.each([
    {},
    { limitUsd: -1 },
    { limitUsd: '1' },
    { limitUsd: 1e7 },
    { limitUsd: 1, spentUsd: 0 },
    [[1]],
    { limitUSD: 1 },
  ])('is told what is wrong with %j', async (body) => {
    expect(await admin('PUT', 'users/x', body)).toMatchObject({
      status: 400,
      body: { code: 'invalid_request' },
    });
  });

  test.each([undefined, 'another token', ''])('is nobody with %j for a token', async (given) => {
    for (const [method, body] of [['GET'], ['PUT', { limitUsd: 1 }], ['DELETE']] as const)
      expect(await callAsAdmin(api, method, '/admin/budgets/users/x', { body, token: given })).toMatchObject({
        status: 401,
        body: { code: 'unauthenticated' },
      });
  });

  test('is not to be mistaken for a user', async () => {
    await signIn();
    expect(await ada.call('PUT', '/admin/budgets/users/x', { limitUsd: 1 })).toMatchObject({ status: 401 });
  });
});

test('without an admin token there is nothing to find in production', async () => {
  const closed = await startTestApi({ settings: { production: true } });
  try {
    expect(await callAsAdmin(closed, 'GET', '/admin/budgets/users/x')).toMatchObject({ status: 404 });
  } finally {
    await closed.close();
  }
});
