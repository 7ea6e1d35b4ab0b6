import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Person } from '../../support/person.js';
import { startSystem, type System, type SystemProcess } from '../../support/system.js';
import { sendRaw } from './raw-request.js';

/** What an operator opens and closes: other origins, and the routes of the house itself. */

const friend = 'https://app.example';
const stranger = 'https://evil.example';

let system: System;
let closed: SystemProcess;
let open: SystemProcess;
let production: SystemProcess;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  closed = system.api();
  open = await system.add('api', { CORS_ORIGINS: friend, ADMIN_TOKEN: 'an:admin', NODE_ENV: 'production' });
  production = await system.add('api', { NODE_ENV: 'production' });
});
afterAll(() => system.stop());

describe('browsers of other origins', () => {
  const polling = '/socket.io/?EIO=4&transport=polling';
  const allowed = async ({ url }: SystemProcess, path: string, origin: string, init: RequestInit = {}) =>
    (
      await fetch(url + path, {
        ...init,
        headers: { origin, ...(init.headers as Record<string, string> | undefined) },
      })
    ).headers.get('access-control-allow-origin');
  const preflight = { method: 'OPTIONS', headers: { 'access-control-request-method': 'POST' } };

  test.for(['/healthz', '/v1/me', '/v1/conversations', polling, '/'])(
    'may not read %s unless they were named',
    async (path) => {
      for (const init of [{}, preflight]) {
        expect(await allowed(closed, path, friend, init)).toBeNull();
        expect(await allowed(closed, path, 'null', init)).toBeNull();
        expect(await allowed(open, path, stranger, init)).toBeNull();
        expect(await allowed(open, path, `${friend}.evil.example`, init)).toBeNull();
        expect(await allowed(open, path, friend, init)).toBe(friend);
      }
    },
  );

  test('never send cookies along', async () => {
    for (const path of ['/v1/me', polling]) {
      const { headers } = await fetch(open.url + path, { headers: { origin: friend } });
      expect(headers.get('access-control-allow-credentials')).toBeNull();
      expect(headers.get('set-cookie')).toBeNull();
    }
  });
});

describe('/metrics', () => {
  const ask = async ({ url }: SystemProcess, authorization?: string) => {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    const { status, type } = await sendRaw(url, { method: 'GET', path: '/metrics', headers });
    return { status, type: type.split(';')[0] };
  };
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

  test('is open without a token outside production', async () => {
    expect(await ask(closed)).toEqual({ status: 200, type: 'text/plain' });
  });

  test('is not there in production without a token', async () => {
    expect(await ask(production)).toEqual({ status: 404, type: 'application/problem+json' });
    expect(await ask(production, 'Bearer undefined')).toMatchObject({ status: 404 });
    expect(await ask(production, basic(':'))).toMatchObject({ status: 404 });
  });

  test('opens to its token alone, as a bearer or as a password', async () => {
    const ada = await Person.signIn(open, 'Ada');
    for (const wrong of [
      undefined,
      '',
      'Bearer',
      'Bearer x',
      `Bearer ${ada.token}`,
      basic('an:admin'),
      basic(':'),
    ])
      expect({ wrong, ...(await ask(open, wrong)) }).toMatchObject({ wrong, status: 401 });
    expect(await ask(open, 'Bearer an:admin')).toMatchObject({ status: 200 });
    expect(await ask(open, basic('anybody:an:admin'))).toMatchObject({ status: 200 });
  });
});

describe('/admin/queues', () => {
  const ask = async ({ url }: SystemProcess, path: string, init: RequestInit = {}) => {
    const response = await fetch(`${url}/admin/queues${path}`, init);
    return { status: response.status, text: await response.text() };
  };
  const admin = { authorization: `Basic ${Buffer.from('anybody:an:admin').toString('base64')}` };

  test('opens to the admin token alone', async () => {
    for (const path of ['', '/', '/api/queues', '/static/favicon-32x32.png']) {
      expect({ path, ...(await ask(open, path)) }).toMatchObject({ path, status: 401 });
      const wrong = { headers: { authorization: 'Bearer x' } };
      expect({ path, ...(await ask(open, path, wrong)) }).toMatchObject({ path, status: 401 });
      expect({ path, ...(await ask(open, path, { headers: admin })) }).toMatchObject({ path, status: 200 });
    }
    expect((await ask(open, '/api/queues', { headers: admin })).text).toContain('generations-anthropic');
  });

  test('is not there in production without a token', async () => {
    expect(await ask(production, '/api/queues')).toMatchObject({ status: 404 });
    expect(await ask(production, '/api/queues', { headers: admin })).toMatchObject({ status: 404 });
  });

  test('shows what is queued and changes nothing', async () => {
    for (const [method, path] of [
      ['PUT', '/api/queues/generations-demo/pause'],
      ['PUT', '/api/queues/generations-demo/empty'],
      ['POST', '/api/queues/generations-demo/add'],
      ['DELETE', '/'],
    ] as const)
      expect({ path, ...(await ask(open, path, { method, headers: admin })) }).toMatchObject({
        path,
        status: 403,
      });
    const { text } = await ask(open, '/api/queues', { headers: admin });
    const { queues } = JSON.parse(text) as { queues: { readOnlyMode: boolean; isPaused: boolean }[] };
    expect(queues.length).toBe(9);
    for (const queue of queues) expect(queue).toMatchObject({ readOnlyMode: true, isPaused: false });
  });
});

test('every kind of answer keeps browsers from foreign code and frames', async () => {
  for (const path of ['/', '/v1/me', '/healthz', '/nothing', '/assets/nothing.js']) {
    const { headers } = await fetch(closed.url + path);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("object-src 'none'");
    expect(policy).not.toContain('unsafe');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('x-powered-by')).toBeNull();
  }
});
