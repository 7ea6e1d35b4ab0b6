import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApi, type Caller, type TestApi } from './test-api.js';

let api: TestApi;
let ada: Caller;

beforeAll(async () => {
  api = await startTestApi();
  ada = await api.signIn('Ada');
});
afterAll(() => api.close());

describe('an error', () => {
  test('is a problem document', async () => {
    const { status, headers, body } = await ada.call('GET', '/v1/nothing');
    expect(status).toBe(404);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(body).toEqual({
      type: 'urn:tokencast:error:not_found',
      title: 'Not found',
      status: 404,
      detail: 'There is nothing here.',
      code: 'not_found',
    });
  });

  test('meets who asks for an unknown route, or in an unknown way', async () => {
    for (const [method, path] of [
      ['GET', '/nothing'],
      ['POST', '/'],
      ['GET', '/v1'],
      ['PUT', '/v1/me'],
      ['GET', '/v1/sessions'],
      ['PUT', '/v1/documents'],
      ['GET', '/V1/me'],
      ['GET', '/v1/conversations/%zz'],
      ['GET', '/assets/..%2f..%2fpackage.json'],
    ] as const)
      expect({ path, ...(await ada.call(method, path)) }).toMatchObject({
        path,
        status: 404,
        body: { code: 'not_found' },
      });
  });

  test('meets a body that is broken, too large, too deep, or no JSON', async () => {
    const post = (raw: string, headers = {}) =>
      ada.call('POST', '/v1/conversations', undefined, { raw, headers });
    const deep = `{"title":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    const faults: [string, object, number, string][] = [
      ['{"title":', {}, 400, 'invalid_request'],
      ['"text"', {}, 400, 'invalid_request'],
      ['[]', {}, 400, 'invalid_request'],
      [deep, {}, 400, 'invalid_request'],
      [JSON.stringify({ title: 'x'.repeat(1_048_576) }), {}, 413, 'payload_too_large'],
      ['title=x', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'unsupported_media_type'],
      ['{}', { 'content-type': 'text/plain' }, 415, 'unsupported_media_type'],
      ['{}', { 'content-type': 'application/json; charset=latin1' }, 415, 'unsupported_media_type'],
      ['{}', { 'content-encoding': 'rot13' }, 415, 'unsupported_media_type'],
      ['{}', { 'content-encoding': 'gzip' }, 400, 'invalid_request'],
    ];
    for (const [raw, headers, status, code] of faults) {
      const answer = await post(raw, headers);
      expect({ raw: raw.slice(0, 20), sent: headers, ...answer }).toMatchObject({ status, body: { code } });
    }
    for (const spoilt of [[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80]]) {
      const response = await fetch(`${api.url}/v1/conversations`, {
        method: 'POST',
        headers: { authorization: `Bearer ${ada.token}`, 'content-type': 'application/json' },
        body: Buffer.concat([Buffer.from('{"title":"'), Buffer.from(spoilt), Buffer.from('"}')]),
      });
      expect({ status: response.status, body: (await response.json()) as unknown }).toMatchObject({
        status: 400,
        body: { code: 'invalid_request', detail: 'The body is not well-formed UTF-8.' },
      });
    }
    expect(await ada.call('POST', '/v1/conversations')).toMatchObject({ status: 400 });
    expect((await post('{}', { 'content-type': 'application/json; charset=utf-8' })).status).toBe(201);
  });

  test('of ours is logged, and tells the client nothing', async () => {
    await api.db.execute('alter table conversations rename to hidden');
    const answer = await ada.call('GET', '/v1/conversations');
    await api.db.execute('alter table hidden rename to conversations');
    expect(answer).toMatchObject({
      status: 500,
      body: { code: 'internal', detail: 'Something went wrong.' },
    });
    const id = answer.headers.get('x-request-id') ?? '';
    const line = api.log.find((entry) => entry.includes(id) && entry.includes('request failed'));
    expect(line).toContain('relation \\"conversations\\" does not exist');
  });
});

describe('every answer', () => {
  test('has a request id, the caller’s where it is sane', async () => {
    const ask = async (id: string) =>
      (await ada.call('GET', '/v1/me', undefined, { headers: { 'x-request-id': id } })).headers.get(
        'x-request-id',
      );
    expect(await ask('trace-1.2:3')).toBe('trace-1.2:3');
    expect(await ask('not sane')).toMatch(/^[0-9a-f-]{36}$/);
    expect(await ask('x'.repeat(129))).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('keeps browsers from foreign code, and says nothing of the server', async () => {
    const { headers } = await api.call('GET', '/');
    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(headers.get('content-security-policy')).toContain("connect-src 'self' ws: wss:");
    expect(headers.get('content-security-policy')).not.toContain('unsafe');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-powered-by')).toBeNull();
    const me = await ada.call('GET', '/v1/me');
    expect(me.headers.get('cache-control')).toBe('no-store');
  });

  test('leaves a line in the log without query or text', async () => {
    const { body } = await ada.call('POST', '/v1/conversations', { title: 'a very secret title' });
    const { id } = body as { id: string };
    await ada.call('GET', `/v1/conversations/${id}?q=a-very-secret-query`);
    const lines = api.log.filter((line) => line.includes(`/v1/conversations/${id}`));
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      req: { method: 'GET', path: `/v1/conversations/${id}` },
      res: { status: 200 },
    });
    const all = api.log.join('');
    for (const secret of ['very secret', 'very-secret', ada.token]) expect(all).not.toContain(secret);
  });
});

describe('browsers of other origins', () => {
  const origin = { headers: { origin: 'https://app.example.com' } };

  test('are shut out unless they were named', async () => {
    const { headers } = await api.call('GET', '/healthz', undefined, origin);
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });

  test('may call, and read what matters, when they were', async () => {
    const open = await startTestApi({ settings: { corsOrigins: ['https://app.example.com'] } });
    const preflight = await open.call('OPTIONS', '/v1/conversations', undefined, {
      headers: {
        ...origin.headers,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,idempotency-key',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
    expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization,idempotency-key');
    const refused = await open.call('GET', '/v1/me', undefined, origin);
    expect(refused.headers.get('access-control-expose-headers')).toContain('Retry-After');
    const other = await open.call('GET', '/healthz', undefined, {
      headers: { origin: 'https://evil.example' },
    });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
    await open.close();
  });
});

describe('the operator’s routes', () => {
  const basic = (password: string) => `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;

  test('say that it is alive and ready', async () => {
    expect(await api.call('GET', '/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(await api.call('GET', '/readyz')).toMatchObject({ status: 200, body: { status: 'ready' } });
  });

  test('measure requests by their route', async () => {
    await ada.call('GET', '/v1/conversations/x');
    const { status, headers, body } = await api.call('GET', '/metrics');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toContain('text/plain');
    expect(body).toContain('process_cpu_seconds_total');
    expect(body).toMatch(
      /http_request_duration_seconds_count\{method="GET",route="\/v1\/me",status="200"\} \d/,
    );
    expect(body).not.toContain(ada.user.id);
  });

  test('are open without a token outside production, hidden in it', async () => {
    const production = await startTestApi({ settings: { production: true } });
    expect((await production.call('GET', '/metrics')).status).toBe(404);
    expect((await production.call('GET', '/healthz')).status).toBe(200);
    await production.close();
  });

  test('need the token where there is one', async () => {
    const guarded = await startTestApi({ settings: { adminToken: 'to:ken', production: true } });
    const ask = async (authorization?: string) =>
      guarded.call('GET', '/metrics', undefined, { headers: authorization ? { authorization } : {} });
    for (const authorization of [undefined, 'Bearer x', basic('x'), 'Bearer', `Digest to:ken`]) {
      const refused = await ask(authorization);
      expect(refused).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
      expect(refused.headers.get('www-authenticate')).toMatch(/^Basic /);
    }
    expect((await ask('Bearer to:ken')).status).toBe(200);
    expect((await ask(basic('to:ken'))).status).toBe(200);
    await guarded.close();
  });
});

describe('the web app', () => {
  const html = { headers: { accept: 'text/html,*/*;q=0.8' } };

  test('answers every page with index.html, always fresh', async () => {
    for (const path of ['/', '/c/0190-some-id', '/about?x=1']) {
      const { status, headers, body } = await api.call('GET', path, undefined, html);
      expect([path, status, body]).toEqual([path, 200, '<!doctype html><title>page</title>']);
      expect(headers.get('cache-control')).toBe('no-cache');
    }
  });

  test('is what the root answers to programs, too', async () => {
    const { status, headers } = await api.call('GET', '/', undefined, { headers: { accept: '*/*' } });
    expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  });

  test('lets its hashed files be kept for ever', async () => {
    const { status, headers } = await api.call('GET', '/assets/main-abc123.js');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toContain('javascript');
    expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  });

  test('is sent compressed to who takes that, and plain to who does not', async () => {
    const get = (encoding: string) =>
      api.call('GET', '/assets/main-abc123.js', undefined, { headers: { 'accept-encoding': encoding } });
    const [packed, plain] = [await get('gzip'), await get('identity')];
    expect([packed.headers.get('content-encoding'), plain.headers.get('content-encoding')]).toEqual([
      'gzip',
      null,
    ]);
    expect(packed.headers.get('vary')).toContain('Accept-Encoding');
    expect(packed.body).toBe(plain.body);
  });

  test('does not answer for programs, nor programs', async () => {
    for (const path of ['/v1/nothing', '/assets/gone.js', '/metrics/x', '/socket.io'])
      expect((await ada.call('GET', path, undefined, html)).body).toMatchObject({ code: 'not_found' });
    expect((await api.call('GET', '/c/1', undefined, { headers: { accept: '*/*' } })).status).toBe(404);
  });
});

test('the models on offer are those that this server can call', async () => {
  const { status, body } = await ada.call('GET', '/v1/models');
  const { items } = body as { items: { id: string; provider: string }[] };
  expect(status).toBe(200);
  expect(new Set(items.map(({ provider }) => provider))).toEqual(new Set(['demo']));
  expect(items[0]).toMatchObject({
    id: 'demo',
    contextTokens: expect.any(Number) as unknown,
    maxOutputTokens: expect.any(Number) as unknown,
    pricing: null,
    abilities: { thinking: true, tools: true },
  });
});
