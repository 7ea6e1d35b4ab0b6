import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { secret, startTestApi, type TestApi } from './test-api.js';

const key = new TextEncoder().encode(secret);
const anyId: unknown = expect.stringMatching(/^[0-9a-f-]{36}$/);

const signed = (claims: Record<string, unknown>, expires = '1h') =>
  new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).setExpirationTime(expires).sign(key);

describe('as a guest', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi({ settings: { limits: { sessionsPerHourPerIp: 6 }, trustProxy: true } });
  });
  afterAll(() => api.close());

  const from = (ip: string) => ({ headers: { 'x-forwarded-for': ip } });

  test('a session is taken under a name, for 30 days', async () => {
    const before = Date.now();
    const { status, body } = await api.call('POST', '/v1/sessions', { name: '  Ada ' }, from('192.0.2.1'));
    expect(status).toBe(201);
    expect(body).toEqual({
      token: expect.any(String) as unknown,
      user: { id: anyId, name: 'Ada' },
      expiresAt: expect.any(String) as unknown,
    });
    const { expiresAt } = body as { expiresAt: string };
    expect(Math.abs(Date.parse(expiresAt) - before - 30 * 86_400_000)).toBeLessThan(10_000);
  });

  test('a name must be there and not too long', async () => {
    for (const name of [undefined, '', '   ', 'x'.repeat(81), 7, 'a\0b', '\ud800']) {
      const answer = await api.call('POST', '/v1/sessions', { name }, from('192.0.2.2'));
      expect(answer).toMatchObject({
        status: 400,
        body: { code: 'invalid_request', errors: [{ path: 'name' }] },
      });
    }
  });

  test('a refreshed session is the same user with a new token', async () => {
    const ada = await api.signIn('Ada');
    const { status, body } = await ada.call('POST', '/v1/sessions/refresh');
    const { user, token } = body as { user: unknown; token: string };
    expect({ status, user }).toEqual({ status: 200, user: ada.user });
    expect(token).not.toBe(ada.token);
    expect((await api.callerWith(ada.user, token).call('GET', '/v1/me')).status).toBe(200);
  });

  test('what I am and have spent is told by /v1/me', async () => {
    const ada = await api.signIn('Ada');
    expect(await ada.call('GET', '/v1/me')).toMatchObject({
      status: 200,
      body: { user: ada.user, budget: { spentUsd: 0, reservedUsd: 0, limitUsd: null } },
    });
  });

  test('no token, a broken one, an unsigned one, a stranger’s and an expired one are refused', async () => {
    const claims = { sub: 'x', name: 'x', jti: 'x' };
    const stranger = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode('another secret of more than 32 bytes'));
    const tokens = [
      '',
      'nonsense',
      'a.b.c',
      new UnsecuredJWT(claims).setExpirationTime('1h').encode(),
      stranger,
      await signed(claims, '-1h'),
      await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(key),
    ];
    for (const token of tokens) {
      const answer = await api.call('GET', '/v1/me', undefined, {
        headers: { authorization: `Bearer ${token}` },
      });
      expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated', status: 401 } });
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
    expect((await api.call('GET', '/v1/me')).status).toBe(401);
  });

  test('a token in the query opens event streams alone, and no log line has it', async () => {
    const ada = await api.signIn('Ada');
    const path = '/v1/generations/x/events';
    expect((await api.call('GET', `${path}?access_token=${ada.token}`)).body).toMatchObject({
      session: { user: ada.user },
    });
    expect((await api.call('GET', `/v1/me?access_token=${ada.token}`)).status).toBe(401);
    expect((await api.call('POST', `${path}?access_token=${ada.token}`)).status).toBe(401);
    const lines = api.log.join('');
    expect(lines).toContain(path);
    expect(lines).not.toContain(ada.token);
    expect(lines).not.toContain('access_token');
  });

  test('an address gets no more sessions an hour than are allowed', async () => {
    const statuses = [];
    for (let i = 0; i < 8; i++)
      statuses.push((await api.call('POST', '/v1/sessions', { name: 'x' }, from('192.0.2.9'))).status);
    expect(statuses).toEqual([201, 201, 201, 201, 201, 201, 429, 429]);
    const refused = await api.call('POST', '/v1/sessions', { name: 'x' }, from('192.0.2.9'));
    expect(refused.body).toMatchObject({ code: 'rate_limited' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3500);
    expect((await api.call('POST', '/v1/sessions', { name: 'x' }, from('192.0.2.10'))).status).toBe(201);
  });
});

describe('with tokens of the host application', () => {
  test('a secret is shared; the user is sub and name, and nobody else gets a session', async () => {
    const api = await startTestApi({ auth: { mode: 'jwt', audience: 'chat', issuer: 'app' } });
    const good = { sub: 'auth0|ü 7', name: 'Ada', aud: 'chat', iss: 'app' };
    const me = async (claims: Record<string, unknown>) =>
      api.callerWith({ id: '', name: '' }, await signed(claims)).call('GET', '/v1/me');
    expect(await me(good)).toMatchObject({ status: 200, body: { user: { id: 'auth0|ü 7', name: 'Ada' } } });
    expect(await me({ ...good, name: undefined })).toMatchObject({ body: { user: { name: 'auth0|ü 7' } } });
    for (const bad of [{ aud: 'other' }, { iss: 'other' }, { sub: undefined }, { sub: 'x'.repeat(201) }])
      expect(await me({ ...good, ...bad })).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });

    expect((await api.call('POST', '/v1/sessions', { name: 'x' })).status).toBe(404);
    const ada = api.callerWith({ id: good.sub, name: 'Ada' }, await signed(good));
    expect((await ada.call('POST', '/v1/sessions/refresh')).status).toBe(404);
    expect((await ada.call('POST', '/v1/conversations', {})).status).toBe(201);
    await api.close();
  });

  test('public keys are fetched; without them nothing is decided', async () => {
    const { publicKey, privateKey } = await generateKeyPair('RS256');
    const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256' };
    let answers = false;
    const keys = createServer((_req, res) => {
      res.writeHead(answers ? 200 : 500, { 'content-type': 'application/json' });
      res.end(JSON.stringify({ keys: [jwk] }));
    }).listen(0, '127.0.0.1');
    await once(keys, 'listening');
    const jwksUrl = `http://127.0.0.1:${(keys.address() as AddressInfo).port}/jwks`;
    const api = await startTestApi({ auth: { mode: 'jwt', jwksUrl, secret: undefined } });

    const token = await new SignJWT({ sub: 'ada' })
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .setExpirationTime('1h')
      .sign(privateKey);
    const ada = api.callerWith({ id: 'ada', name: 'ada' }, token);
    expect(await ada.call('GET', '/v1/me')).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    answers = true;
    expect(await ada.call('GET', '/v1/me')).toMatchObject({ status: 200, body: { user: { id: 'ada' } } });

    // The public key used as the secret of an HMAC: the classic confusion.
    const confused = await new SignJWT({ sub: 'ada' })
      .setProtectedHeader({ alg: 'HS256', kid: 'one' })
      .sign(new TextEncoder().encode(JSON.stringify(jwk)));
    expect((await api.callerWith(ada.user, confused).call('GET', '/v1/me')).status).toBe(401);
    keys.close();
    keys.closeAllConnections();
    await api.close();
  });
});
