import { randomUUID } from 'node:crypto';
import fc, { type Arbitrary } from 'fast-check';
import { io, type Socket } from 'socket.io-client';
import { WebSocket } from 'undici';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { errorCodes } from '../../../src/domain/errors.js';
import {
  authenticateSchema,
  joinSchema,
  leaveSchema,
  typingSchema,
} from '../../../src/wire/socket-events.js';
import { Person } from '../../support/person.js';
import { startSystem, type System } from '../../support/system.js';
import { arbitraryOf, nastyText, wild } from './arbitrary-of.js';
import { sendRaw, type RawRequest } from './raw-request.js';
import { routes, type Route } from './routes.js';

/** Whatever comes in: no 500, no crash, no rejection that nobody handles. More runs with `FUZZ_RUNS`. */

const numRuns = Number(process.env.FUZZ_RUNS ?? 60);

let system: System;
let url: string;
let ada: Person;
/** Good ids, made anew for each test: some of what is sent deletes. */
let ids: Record<string, string>;

beforeAll(async () => {
  system = await startSystem({ workers: 0, env: { SHUTDOWN_GRACE_MS: '0' } });
  ({ url } = system.api());
  ada = await Person.signIn({ url }, 'Ada');
});
beforeEach(async () => {
  const conversation = await ada.converse({ title: 'fuzzed' });
  const { message, generation } = await ada.ask(conversation, 'hello');
  ids = { conversation, message: message.id, generation: generation.id, user: ada.user.id, token: 'none' };
});
afterEach(async () => {
  expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' });
  const faults = system.api().output.filter((line) => /unhandled|request failed|"level":(50|60)/.test(line));
  expect(faults).toEqual([]);
});
afterAll(() => system.stop());

/** What may stand in a request line: bytes of ASCII without blanks. */
const inLine = (text: string) => text.replace(/[^\x21-\x7e]/g, (c) => encodeURIComponent(c.toWellFormed()));
/** What may stand in a header: bytes without controls. */
const inHeader = (text: string) => text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '').slice(0, 3000);

const oddId: Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '%',
    '%zz',
    '%00',
    '%ff',
    '%c0%af',
    '..',
    '.',
    '%2e%2e%2f',
    '*',
    ';',
    '~',
    '%F0%9F%A7%B5',
    'x'.repeat(3000),
  ),
  fc.uuid(),
  fc.uuid().map((id) => id.toUpperCase()),
  nastyText.map((text) => inLine(text).slice(0, 3000)),
);

const headerValue = (...usual: string[]): Arbitrary<string | string[]> => {
  const one = fc.oneof(fc.constantFrom(...usual), nastyText.map(inHeader));
  return fc.oneof({ weight: 4, arbitrary: one }, fc.array(one, { minLength: 2, maxLength: 3 }));
};

const headers: Arbitrary<Record<string, string | string[]>> = fc.record(
  {
    'idempotency-key': headerValue('key-1', 'x'.repeat(256), 'é', ' '),
    accept: headerValue('application/json', 'text/event-stream', '*/*', 'a/b;q=x', 'text/html'),
    prefer: headerValue('wait=0', 'wait=-1', 'wait="0"', 'respond-async', 'wait=0;wait=0'),
    'last-event-id': headerValue('0-0', '1-1', '1-1,2-2', '-', '99999999999999999999-1'),
    'x-request-id': headerValue('id', '../..'),
    'x-forwarded-for': headerValue('1.2.3.4', '::1', 'unknown'),
    origin: headerValue('https://evil.example', 'null'),
    cookie: headerValue('a=b', '__proto__=x'),
    'content-encoding': headerValue('identity', 'gzip', 'br', 'x-none'),
  },
  { requiredKeys: [] },
);

const contentType = fc.oneof(
  { weight: 8, arbitrary: fc.constant('application/json') },
  fc.constantFrom(
    'application/json; charset=utf-8',
    'application/json; charset=utf-16',
    'application/json; charset=x-none',
    'application/problem+json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/plain',
    'application/json, text/plain',
    '/',
  ),
);

const queryOf = (schema: z.ZodType | undefined): Arbitrary<string> => {
  const good = schema ? arbitraryOf(schema) : fc.constant({});
  const pairs = good.map((value) =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).map(([key, inner]) => [key, String(inner)] as [string, string])
      : [],
  );
  const junk = fc.array(
    fc.tuple(
      fc.constantFrom(
        'limit',
        'before',
        'q',
        'after',
        'room',
        'access_token',
        '__proto__',
        'a[b]',
        'limit[]',
      ),
      nastyText.map((text) => text.slice(0, 300)),
    ),
    { maxLength: 4 },
  );
  return fc.oneof(
    { weight: 3, arbitrary: fc.tuple(pairs, junk).map(([a, b]) => encoded([...a, ...b])) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('?', '?%', '?%zz=%', '?&&&=', '?a=b?c=d', '?room=user:x&room=%ff'),
    },
    { weight: 3, arbitrary: fc.constant('') },
  );
};

const encoded = (pairs: [string, string][]) =>
  `?${pairs.map(([key, value]) => `${inLine(key)}=${encodeURIComponent(value.slice(0, 1000).toWellFormed())}`).join('&')}`;

/** Requests to one route, most of them nearly right. */
function requestsTo({ method, path, body, query }: Route): Arbitrary<RawRequest> {
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
  return fc
    .record({
      method: fc.oneof(
        { weight: 12, arbitrary: fc.constant<string>(method) },
        fc.constantFrom('GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY'),
      ),
      odd: fc.record(
        Object.fromEntries(names.map((name) => [name, fc.option(oddId, { nil: undefined, freq: 2 })])),
      ),
      query: queryOf(query),
      headers,
      contentType,
      signedIn: fc.oneof(
        { weight: 12, arbitrary: fc.constant('good') },
        fc.constantFrom('', 'Bearer', 'Bearer a.b.c', 'Basic Og==', 'Bearer eyJhbGciOiJub25lIn0.e30.'),
      ),
      body: fc.oneof(
        { weight: 6, arbitrary: (body ? arbitraryOf(body) : wild).map((value) => JSON.stringify(value)) },
        fc.constantFrom('', '{', 'null', '"x"', '[]', '{"a":1}{"b":2}', '\ufeff{}', '{"content":"\\ud800"}'),
        nastyText,
      ),
    })
    .map((made) => ({
      method: made.method,
      path: path.replace(/:(\w+)/g, (_, name: string) => made.odd[name] ?? ids[name] ?? 'x') + made.query,
      headers: {
        ...made.headers,
        authorization: made.signedIn === 'good' ? `Bearer ${ada.token}` : made.signedIn,
        ...(made.method !== 'GET' && { 'content-type': made.contentType }),
      },
      ...(made.method !== 'GET' && made.method !== 'HEAD' && { body: made.body }),
    }));
}

describe('over HTTP', () => {
  test.for(routes)('$method $path answers everything in order', async (route) => {
    await fc.assert(
      fc.asyncProperty(requestsTo(route), async (request) => {
        const { status, type, body } = await sendRaw(url, request);
        expect(status, body).toBeGreaterThanOrEqual(200);
        expect(status, body).not.toBe(500);
        if (status < 400 || request.method === 'HEAD') return;
        if (route.errors === 'anthropic' && type.startsWith('application/json')) {
          expect(JSON.parse(body)).toMatchObject({
            type: 'error',
            error: { type: expect.any(String) as string },
          });
          return;
        }
        expect(type).toMatch(/^application\/problem\+json/);
        const problem = JSON.parse(body) as { code: string; status: number };
        expect(Object.keys(errorCodes)).toContain(problem.code);
        expect(problem.status).toBe(status);
      }),
      { numRuns, endOnFailure: true },
    );
  });

  test('paths of any form are answered', async () => {
    const paths = fc.array(oddId, { maxLength: 5 }).map((parts) => `/${parts.join('/')}`);
    await fc.assert(
      fc.asyncProperty(paths, fc.constantFrom('GET', 'POST', 'OPTIONS'), async (path, method) => {
        const { status, body } = await sendRaw(url, { method, path, headers: { accept: 'text/html' } });
        expect(status, body).toBeLessThan(500);
      }),
      { numRuns: numRuns * 2, endOnFailure: true },
    );
  });
});

describe('over a socket', () => {
  const schemas = {
    join: joinSchema,
    leave: leaveSchema,
    typing: typingSchema,
    authenticate: authenticateSchema,
  };

  async function connected(): Promise<Socket> {
    const socket = io(url, { forceNew: true, transports: ['websocket'], auth: { token: ada.token } });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', reject);
    });
    return socket;
  }

  test.for(Object.entries(schemas))('%s is acknowledged, whatever comes with it', async ([event, schema]) => {
    const room = fc.constantFrom(
      `conversation:${ids.conversation}`,
      `conversation:${randomUUID()}`,
      `user:${ada.user.id}`,
      'user:somebody-else',
      'document:x',
    );
    const payloads = fc.oneof(
      arbitraryOf(schema),
      fc.record(
        {
          room,
          after: fc.constantFrom('0-0', '1-1', '18446744073709551615-0', '99999999999999999999-0'),
          typing: fc.oneof(fc.boolean(), wild),
          token: fc.oneof(fc.constantFrom(ada.token, 'a.b.c'), nastyText),
        },
        { requiredKeys: ['room'] },
      ),
      fc
        .uint8Array({ maxLength: 30 })
        .map((bytes) => ({ room: Buffer.from(bytes), token: Buffer.from(bytes) })),
    );
    const more = fc.array(wild, { maxLength: 2 });
    let socket = await connected();
    const say = async (payload: unknown, rest: unknown[]) =>
      (await socket.timeout(10_000).emitWithAck(event, payload, ...rest)) as {
        ok: boolean;
        error?: { code: string };
      };
    try {
      await fc.assert(
        fc.asyncProperty(payloads, more, async (payload, rest) => {
          let ack = await say(payload, rest);
          if (ack.error?.code === 'rate_limited') {
            socket.disconnect();
            socket = await connected();
            ack = await say(payload, rest);
          }
          expect(ack.error?.code).not.toBe('rate_limited');
          if (!ack.ok) expect(Object.keys(errorCodes)).toContain(ack.error?.code);
          expect(ack.error?.code).not.toBe('unavailable');
          expect(ack.error?.code).not.toBe('internal');
        }),
        { numRuns: numRuns * 2, endOnFailure: true },
      );
      for (const payload of [[], undefined, 'x']) socket.emit(event, payload);
      expect(await socket.timeout(10_000).emitWithAck('leave', { room: 'x' })).toEqual({ ok: true });
    } finally {
      socket.disconnect();
    }
  });

  test('events that nobody knows are ignored', async () => {
    const socket = await connected();
    for (const event of ['error', 'message', '__proto__', 'constructor', 'join ', '', 'session.expiring'])
      socket.emit(event, { a: 1 }, () => undefined);
    expect(await socket.timeout(10_000).emitWithAck('leave', { room: 'x' })).toEqual({ ok: true });
    socket.disconnect();
  });

  test('frames that are no packets end the connection at most', async () => {
    const connect = `40${JSON.stringify({ token: ada.token })}`;
    const frames: string[][] = [
      ['garbage'],
      ['4'],
      ['40{"token":'],
      ['40[]'],
      ['40/other,{}'],
      [connect, '42'],
      [connect, '42[]'],
      [connect, '42{"a":1}'],
      [connect, '42["disconnect"]'],
      [connect, '42["error",1]'],
      [connect, '4299999999999999999999["join",{}]'],
      [connect, '451-["join",{"_placeholder":true,"num":0}]'],
      [connect, '451-["join",{"_placeholder":true,"num":"x"}]', 'b'],
      [connect, '459999999-["join"]'],
      [connect, '430["ack of nothing"]'],
      [connect, '44{"message":"x"}'],
      [connect, `42["join",{"room":"${'x'.repeat(60_000)}"}]`],
      [connect, 'x'.repeat(70_000)],
    ];
    for (const list of frames) {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
      await new Promise<void>((resolve) => {
        const say = () => {
          for (const frame of list) socket.send(frame);
          socket.send(Buffer.from([0, 255, 1]));
          socket.close(); // read behind all of them
        };
        socket.addEventListener('open', say);
        socket.addEventListener('close', () => {
          resolve();
        });
        socket.addEventListener('error', () => {
          resolve();
        });
      });
    }
    const socket = await connected();
    expect(socket.connected).toBe(true);
    socket.disconnect();
  });
});
