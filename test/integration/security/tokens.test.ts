import { createHmac, generateKeyPairSync } from 'node:crypto';
import { SignJWT } from 'jose';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSystem, type System, type SystemProcess } from '../../support/system.js';
import {
  audience,
  issuer,
  sharedSecret,
  startHostApplication,
  type HostApplication,
} from './host-application.js';

/** Tokens of a host application, good and bad, at every door. */

let host: HostApplication;
let system: System;
/** Knows the public key alone. */
let keyed: SystemProcess;
/** Knows the shared secret as well. */
let both: SystemProcess;
let good: string;

const nobody = '00000000-0000-7000-8000-000000000000';

beforeAll(async () => {
  host = await startHostApplication();
  const jwt = {
    AUTH_MODE: 'jwt',
    AUTH_JWKS_URL: host.jwksUrl,
    AUTH_AUDIENCE: audience,
    AUTH_ISSUER: issuer,
    AUTH_SECRET: '',
  };
  system = await startSystem({ workers: 0, env: jwt });
  keyed = system.api();
  both = await system.add('api', { AUTH_SECRET: sharedSecret });
  good = await host.sign({});
});
afterAll(async () => {
  await system.stop();
  await host.close();
});

type Door = (api: SystemProcess, token: string) => Promise<string>;

const codeOf = async (response: Response): Promise<string> => {
  if (response.ok) {
    await response.body?.cancel();
    return 'ok';
  }
  return ((await response.json()) as { code: string }).code;
};

const connect = (api: SystemProcess, auth: object, query: Record<string, string> = {}) => {
  const socket = io(api.url, { forceNew: true, reconnection: false, transports: ['websocket'], auth, query });
  const code = new Promise<string>((resolve) => {
    socket.once('connect', () => {
      resolve('ok');
    });
    socket.once('connect_error', (error: Error & { data?: { code?: string } }) => {
      resolve(error.data?.code ?? error.message);
    });
  });
  return { socket, code };
};

/** Every way in, each answering `ok` or the code of the refusal. */
const doors: Record<string, Door> = {
  'over HTTP': async ({ url }, token) =>
    codeOf(await fetch(`${url}/v1/me`, { headers: { authorization: `Bearer ${token}` } })),
  'at a socket’s handshake': async (api, token) => {
    const { socket, code } = connect(api, { token });
    return code.finally(() => socket.disconnect());
  },
  'in authenticate': async (api, token) => {
    const { socket, code } = connect(api, { token: good });
    expect(await code).toBe('ok');
    const ack = (await socket.emitWithAck('authenticate', { token })) as {
      ok: boolean;
      error?: { code: string };
    };
    socket.disconnect();
    return ack.ok ? 'ok' : (ack.error?.code ?? '');
  },
  'in the query of an event stream': async ({ url }, token) => {
    const room = encodeURIComponent('user:ada');
    return codeOf(await fetch(`${url}/v1/events?room=${room}&access_token=${encodeURIComponent(token)}`));
  },
};

const base64 = (value: object | string) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** A token signed as HS256 with any bytes. */
const hmac = (claims: object, key: string, alg = 'HS256') => {
  const signed = `${base64({ alg, kid: 'one' })}.${base64(claims)}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
};

const now = () => Math.floor(Date.now() / 1000);
const claims = () => ({ sub: 'ada', name: 'Ada', aud: audience, iss: issuer, exp: now() + 600 });

const bad: Record<string, () => string | Promise<string>> = {
  'no token': () => '',
  'no JWT': () => 'nonsense',
  'dots alone': () => '..',
  'an array for a header': () => `${base64([])}.${base64(claims())}.`,
  'the algorithm none': () => `${base64({ alg: 'none' })}.${base64(claims())}.`,
  'the algorithm None': () => `${base64({ alg: 'None' })}.${base64(claims())}.`,
  'no algorithm': () => `${base64({ typ: 'JWT' })}.${base64(claims())}.`,
  'none with the signature of another': () =>
    `${base64({ alg: 'none' })}.${base64(claims())}.${good.split('.')[2] ?? ''}`,
  'HS256 with the public key (PEM) for its secret': () => hmac(claims(), host.publicKey.pem),
  'HS256 with the public key (JWK) for its secret': () => hmac(claims(), host.publicKey.jwk),
  'HS256 with an empty secret': () => hmac(claims(), ''),
  'HS512 that is none': () => hmac(claims(), sharedSecret, 'HS512'),
  'a key of its own in the header': async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwk = publicKey.export({ format: 'jwk' }) as { kty: string };
    return new SignJWT(claims()).setProtectedHeader({ alg: 'RS256', kid: 'one', jwk }).sign(privateKey);
  },
  'a key id that nobody has': () => good.replace(/^[^.]+/, base64({ alg: 'RS256', kid: '../../etc/passwd' })),
  'a critical header that nobody knows': () =>
    good.replace(/^[^.]+/, base64({ alg: 'RS256', kid: 'one', crit: ['x'], x: 1 })),
  'an end that is past': () => host.sign({ exp: now() - 60 }),
  'a beginning to come': () => host.sign({ nbf: now() + 600 }),
  'another audience': () => host.sign({ aud: 'other' }),
  'no audience': () => host.sign({ aud: undefined }),
  'another issuer': () => host.sign({ iss: 'https://evil.example' }),
  'no issuer': () => host.sign({ iss: undefined }),
  'no subject': () => host.sign({ sub: undefined }),
  'an empty subject': () => host.sign({ sub: '' }),
  'a subject of 201 characters': () => host.sign({ sub: 'x'.repeat(201) }),
  'a huge subject': () => host.sign({ sub: 'x'.repeat(4000) }),
  'a subject that is a number': () => host.sign({ sub: 7 as unknown as string }),
  'a subject that is an object': () => host.sign({ sub: { length: 1 } as unknown as string }),
  'a subject with NUL': () => host.sign({ sub: 'a\0b' }),
  'a subject with half a character': () => host.sign({ sub: '\ud800' }),
  'an end that is text': () => host.sign({ exp: 'tomorrow' as unknown as number }),
  'another name under the same signature': () => {
    const [header, , signature] = good.split('.');
    return `${header ?? ''}.${base64({ ...claims(), sub: 'bob' })}.${signature ?? ''}`;
  },
  'a signature that was cut': () => good.slice(0, -10),
};

describe.each(Object.entries(doors))('%s', (_, enter) => {
  test('a good token opens', async () => {
    expect(await enter(keyed, good)).toBe('ok');
    expect(await enter(both, good)).toBe('ok');
    expect(await enter(both, await host.sign({}, { alg: 'HS256' }))).toBe('ok');
  });

  test('the shared secret opens nothing where none is shared', async () => {
    expect(await enter(keyed, await host.sign({}, { alg: 'HS256' }))).toBe('unauthenticated');
  });

  test.for(Object.entries(bad))('a token with %s does not', async ([, make]) => {
    const token = await make();
    expect(await enter(keyed, token)).toBe('unauthenticated');
    expect(await enter(both, token)).toBe('unauthenticated');
  });
});

test('a socket takes no token of somebody else', async () => {
  expect(await doors['in authenticate']?.(keyed, await host.sign({ sub: 'bob' }))).toBe('forbidden');
});

test('claims that no store can hold, and an end beyond all time, are left out', async () => {
  const token = await host.sign({ jti: 'a\0b', name: 'x\ud800', exp: 1e20 });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const made = await fetch(`${keyed.url}/v1/conversations`, { method: 'POST', headers, body: '{}' });
  const { id } = (await made.json()) as { id: string };
  const body = JSON.stringify({ content: 'hello', generate: false });
  const sent = await fetch(`${keyed.url}/v1/conversations/${id}/messages`, { method: 'POST', headers, body });
  expect(await sent.json()).toMatchObject({ message: { author: { id: 'ada', name: 'ada' } } });
  const { socket, code } = connect(keyed, { token });
  expect(await code).toBe('ok');
  expect(await socket.emitWithAck('join', { room: `conversation:${id}` })).toMatchObject({ ok: true });
  socket.disconnect();
});

describe('a good token counts for nothing', () => {
  const get = async (path: string, init: RequestInit = {}) => codeOf(await fetch(keyed.url + path, init));

  test('in the query of what is no event stream', async () => {
    const query = `access_token=${good}`;
    for (const path of [
      '/v1/me',
      '/v1/conversations',
      `/v1/conversations/${nobody}`,
      `/v1/conversations/${nobody}/messages`,
      `/v1/generations/${nobody}`,
      '/v1/models',
      '/v1/me/events',
      '/v1/conversations/x/messages/events',
    ])
      expect({ path, code: await get(`${path}?${query}`) }).toEqual({ path, code: 'unauthenticated' });
    for (const path of ['/v1/events', `/v1/conversations/${nobody}/events`])
      for (const method of ['POST', 'DELETE', 'PATCH'])
        expect(await get(`${path}?${query}`, { method })).toBe('unauthenticated');
    for (const twice of [`access_token=x&${query}`, `${query}&${query}`, `access_token[]=${good}`])
      expect(await get(`/v1/events?room=user:ada&${twice}`)).toBe('unauthenticated');
  });

  test('in a cookie, another scheme, or another header', async () => {
    const headerSets: Record<string, string>[] = [
      { cookie: `token=${good}; access_token=${good}` },
      { authorization: `Basic ${good}` },
      { authorization: good },
      { 'x-access-token': good },
    ];
    for (const headers of headerSets) expect(await get('/v1/me', { headers })).toBe('unauthenticated');
  });

  test('in the query of a socket', async () => {
    for (const name of ['token', 'access_token']) {
      const { socket, code } = connect(keyed, {}, { [name]: good });
      expect(await code).toBe('unauthenticated');
      socket.disconnect();
    }
    const { socket, code } = connect(keyed, { token: { toString: good } });
    expect(await code).toBe('unauthenticated');
    socket.disconnect();
  });
});
