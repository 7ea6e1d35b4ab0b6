import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type Caller } from './test-api.js';

/** What Anthropic's SDKs read of a refusal: its status, its type, and when to try again. */

let api: Awaited<ReturnType<typeof startTestApi>>;
let bob: Caller;

beforeAll(async () => {
  api = await startTestApi({
    settings: { limits: { userMessagesPerMinute: 2 }, corsOrigins: ['https://app.example'] },
    maxQueuedGenerations: 0,
  });
  bob = await api.signIn('Bob');
});
afterAll(() => api.close());

const path = '/anthropic/v1/messages';
const question = { model: 'demo', max_tokens: 100, messages: [{ role: 'user', content: 'Hello' }] };

test('a full queue is an overload, and who asks too often is told when to ask again', async () => {
  const full = await bob.call('POST', path, question);
  expect(full).toMatchObject({
    status: 529,
    body: { type: 'error', error: { type: 'overloaded_error' }, request_id: full.headers.get('request-id') },
  });
  expect(full.headers.get('retry-after')).toBe('5');
  expect((await bob.call('POST', path, question)).status).toBe(529);
  const limited = await bob.call('POST', path, question);
  expect(limited).toMatchObject({
    status: 429,
    body: {
      type: 'error',
      error: { type: 'rate_limit_error', message: 'At most 2 messages a minute are accepted.' },
    },
  });
  const seconds = Number(limited.headers.get('retry-after'));
  expect(seconds).toBeGreaterThanOrEqual(1);
  expect(seconds).toBeLessThanOrEqual(60);
  // What was refused has left nothing behind.
  expect((await bob.call('GET', '/v1/conversations')).body).toMatchObject({ items: [] });
});

test('a member who may only read is refused, and told so', async () => {
  const eve = await api.signIn('Eve');
  const { body: conversation } = await bob.call('POST', '/v1/conversations', {});
  const { id } = conversation as { id: string };
  const { body: invite } = await bob.call('POST', `/v1/conversations/${id}/invites`, { role: 'viewer' });
  await eve.call('POST', `/v1/invites/${(invite as { token: string }).token}/accept`, {});
  const headers = { 'x-conversation-id': id };
  expect(await eve.call('POST', path, question, { headers })).toMatchObject({
    status: 403,
    body: { error: { type: 'permission_error' } },
  });
});

test('what is no request is refused in the same form', async () => {
  const invalid = { type: 'error', error: { type: 'invalid_request_error' } };
  expect(await bob.call('POST', path, undefined, { raw: '{' })).toMatchObject({ status: 400, body: invalid });
  expect(
    await bob.call('POST', path, undefined, { raw: 'x', headers: { 'content-type': 'text/plain' } }),
  ).toMatchObject({ status: 415, body: invalid });
  expect(await bob.call('POST', path, { ...question, max_tokens: '7' })).toMatchObject({
    status: 400,
    body: invalid,
  });
  const tooLong = { role: 'user', content: 'x'.repeat(1001) };
  expect(await bob.call('POST', path, { ...question, messages: [tooLong] })).toMatchObject({
    status: 400,
    body: invalid,
  });
  const wide = {
    ...question,
    max_tokens: 60_000,
    messages: Array(450).fill({ role: 'user', content: 'x'.repeat(1000) }),
  };
  expect(await bob.call('POST', path, wide)).toMatchObject({ status: 400, body: invalid });
  expect(await bob.call('GET', `${path}/${randomUUID()}/events`)).toMatchObject({
    status: 404,
    body: { type: 'error', error: { type: 'not_found_error' } },
  });
});

test('the key is taken before the bearer token, and pages of other origins read the names of a run', async () => {
  const key = { 'x-api-key': 'none' };
  expect(await bob.call('GET', '/anthropic/v1/models', undefined, { headers: key })).toMatchObject({
    status: 401,
    body: { type: 'error', error: { type: 'authentication_error' } },
  });
  const origin = { origin: 'https://app.example' };
  const { headers } = await bob.call('GET', '/anthropic/v1/models', undefined, { headers: origin });
  expect(headers.get('access-control-expose-headers')).toMatch(/X-Generation-Id/);
});
