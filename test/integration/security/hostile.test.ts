import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { io } from 'socket.io-client';
import { Person, type Answer } from '../../support/person.js';
import { startSystem, type System } from '../../support/system.js';
import { sendBytes, sendRaw } from './raw-request.js';

/** Whoever does not play by the rules is turned away, and takes nothing from the others. */

let system: System;
let url: string;
let ada: Person;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  ({ url } = system.api());
  ada = await Person.signIn({ url }, 'Ada');
});
afterEach(async () => {
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  expect(system.api().output.filter((line) => /unhandled|request failed/.test(line))).toEqual([]);
});
afterAll(() => system.stop());

/** Refused before there was a request, with a problem document and the end of the connection. */
function expectRefused(answer = '', status: number, code: string): void {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  expect(head.toLowerCase()).toMatch(new RegExp(`^http/1\\.1 ${status} .*\r\n`));
  expect(head.toLowerCase()).toContain('\r\ncontent-type: application/problem+json');
  expect(head.toLowerCase()).toContain('\r\nconnection: close');
  expect(head.toLowerCase()).toContain('\r\nx-content-type-options: nosniff');
  expect(JSON.parse(body)).toMatchObject({ type: `urn:tokencast:error:${code}`, status, code });
}

const post = (path: string, body: string) =>
  sendRaw(url, {
    method: 'POST',
    path,
    headers: { authorization: `Bearer ${ada.token}`, 'content-type': 'application/json' },
    body,
  });

describe('bodies', () => {
  test('keys that reach for prototypes change nothing but are data', async () => {
    const hostile =
      '{"__proto__":{"polluted":1,"title":"x"},"constructor":{"prototype":{"polluted":1}},"title":"t","toString":1}';
    const { status, body } = await post('/v1/conversations', hostile);
    expect(status).toBe(201);
    const made = JSON.parse(body) as { id: string; title: string };
    expect(made.title).toBe('t');
    expect(body).not.toContain('polluted');
    const metadata = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"plain":1}';
    const sent = await post(
      `/v1/conversations/${made.id}/messages`,
      `{"content":"x","generate":false,"metadata":${metadata}}`,
    );
    expect(sent.status).toBe(201);
    const listed = await ada.call<{ items: { metadata: object }[] }>(
      'GET',
      `/v1/conversations/${made.id}/messages`,
    );
    expect(listed.body.items[0]?.metadata).toMatchObject({ plain: 1 });
    const other = await ada.call<object>('POST', '/v1/conversations', {});
    expect(JSON.stringify(other.body)).not.toContain('polluted');
  });

  test('ten megabytes are refused before they are read', async () => {
    const { status, body } = await post('/v1/conversations', `{"title":"${'x'.repeat(10_000_000)}"}`);
    expect({ status, ...(JSON.parse(body) as object) }).toMatchObject({
      status: 413,
      code: 'payload_too_large',
    });
  });

  test.for([
    ['arrays', '[', ']', ''],
    ['objects', '{"a":', '}', '1'],
  ])('%s nested ten thousand deep are refused', async ([, open = '', close = '', inner = '']) => {
    const deep = open.repeat(10_000) + inner + close.repeat(10_000);
    for (const body of [deep, `{"title":${deep}}`, `{"content":"x","metadata":{"a":${deep}}}`]) {
      const answer = await post('/v1/conversations', body);
      expect(answer.status, answer.body).toBe(400);
    }
  });

  test('a megabyte of small values keeps nobody waiting', async () => {
    const id = await ada.converse();
    const many = `[${'0,'.repeat(500_000)}0]`;
    const keys = `{${Array.from({ length: 70_000 }, (_, i) => `"k${i}":0`).join(',')}}`;
    const bodies = [
      `{"content":${many}}`,
      `{"content":"x","metadata":{"a":${many}}}`,
      `{"content":"x","metadata":${keys}}`,
      `{"content":"x","generate":${keys}}`,
      `{"content":"x","generate":{"stopSequences":${many}}}`,
    ];
    for (const body of bodies) {
      const answer = await post(`/v1/conversations/${id}/messages`, body);
      expect(answer.status, answer.body.slice(0, 300)).toBe(400);
      expect(answer.body.length).toBeLessThan(20_000);
    }
  });
});

describe('text that no store can hold', () => {
  const spoilt = ['a\0b', '\ud800', 'x\udc00y', '\0'];

  /** Every field of text, by where it stands. */
  const fields: { name: string; send: (value: string) => Promise<Answer> }[] = [
    { name: 'a session’s name', send: (value) => ada.call('POST', '/v1/sessions', { name: value }) },
    ...['title', 'system', 'model'].map((field) => ({
      name: `a conversation’s ${field}`,
      send: (value: string) => ada.call('POST', '/v1/conversations', { [field]: value }),
    })),
    ...['title', 'system', 'model'].map((field) => ({
      name: `a changed ${field}`,
      send: async (value: string) =>
        ada.call('PATCH', `/v1/conversations/${await ada.converse()}`, { [field]: value }),
    })),
    {
      name: 'a history',
      send: (value) =>
        ada.call('POST', '/v1/conversations', { messages: [{ role: 'user', content: value }] }),
    },
    ...Object.entries<(value: string) => object>({
      content: (value) => ({ content: value }),
      'a text block': (value) => ({ content: [{ type: 'text', text: value }] }),
      'a tool’s result': (value) => ({
        content: [{ type: 'tool_result', tool_use_id: 'x', content: value }],
      }),
      'a tool’s id': (value) => ({ content: [{ type: 'tool_result', tool_use_id: value, content: 'x' }] }),
      clientId: (value) => ({ content: 'x', clientId: value }),
      metadata: (value) => ({ content: 'x', metadata: { a: { b: [value] } } }),
      'a key of metadata': (value) => ({ content: 'x', metadata: { [value]: 1 } }),
      model: (value) => ({ content: 'x', generate: { model: value } }),
      system: (value) => ({ content: 'x', generate: { system: value } }),
      'a stop sequence': (value) => ({ content: 'x', generate: { stopSequences: [value] } }),
    }).map(([name, bodyOf]) => ({
      name: `a message’s ${name}`,
      send: async (value: string) =>
        ada.call('POST', `/v1/conversations/${await ada.converse()}/messages`, bodyOf(value)),
    })),
    {
      name: 'an edit',
      send: async (value) => {
        const { message } = await ada.ask(await ada.converse(), 'x');
        return ada.call('PATCH', `/v1/messages/${message.id}`, { content: value });
      },
    },
  ];

  test.for(fields)('is refused as $name', async ({ send }) => {
    for (const value of spoilt) {
      const { status, body } = await send(value);
      expect({ value, status, body }).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    }
  });

  test('is refused in queries, and is nobody’s id', async () => {
    for (const value of ['%00', 'a%00b']) {
      expect((await ada.call('GET', `/v1/conversations?q=${value}`)).status).toBe(400);
      expect((await ada.call('GET', `/v1/conversations?before=${value}`)).status).toBe(400);
      expect((await ada.call('GET', `/v1/conversations/${value}`)).status).toBe(404);
      expect((await ada.call('GET', `/v1/events?room=${value}`)).status).toBe(404);
      expect((await ada.call('POST', `/v1/invites/${value}/accept`)).status).toBe(404);
      const members = `/v1/conversations/${await ada.converse()}/members`;
      expect((await ada.call('DELETE', `${members}/${value}`)).status).toBe(404);
    }
    for (const key of ['é', 'a b', 'x'.repeat(256)])
      expect(
        (await ada.call('POST', '/v1/conversations', {}, { headers: { 'idempotency-key': key } })).status,
      ).toBe(400);
  });
});

describe('connections', () => {
  const open: Socket[] = [];
  afterEach(() => {
    for (const socket of open.splice(0)) socket.destroy();
  });

  async function connection(): Promise<Socket> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    open.push(socket);
    await once(socket, 'connect');
    return socket;
  }

  test('a flood of headers is refused', async () => {
    const many = Array.from({ length: 1900 }, (_, i) => `x-h-${i}: ${i}\r\n`).join('');
    const long = `x-long: ${'x'.repeat(20_000)}\r\n`;
    for (const flood of [many, long])
      expectRefused(
        await sendBytes(url, `GET /healthz HTTP/1.1\r\nhost: x\r\n${flood}\r\n`),
        431,
        'invalid_request',
      );
  });

  test('who sends on without listening is told in the end', async () => {
    const socket = await connection();
    const head = `GET /healthz HTTP/1.1\r\nhost: x\r\n`;
    await new Promise<void>((resolve, reject) => {
      socket.write(head + `x-long: ${'x'.repeat(20_000)}\r\n`.repeat(500), (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
    expectRefused(await text(socket), 431, 'invalid_request');
  });

  test('extensions of a chunk without end are refused', async () => {
    const head =
      'POST /v1/sessions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n';
    expectRefused(await sendBytes(url, `${head}1;${'a'.repeat(20_000)}`), 413, 'payload_too_large');
  });

  test('requests that contradict themselves about their length are refused', async () => {
    const both =
      'POST /v1/sessions HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n';
    const twice =
      'POST /v1/sessions HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!';
    for (const bytes of [both, twice, 'garbage\r\n\r\n', '\0\0\0\0\r\n\r\n'])
      expectRefused(await sendBytes(url, bytes), 400, 'invalid_request');
  });

  test('requests that name no host are refused, those of HTTP/1.0 are not', async () => {
    expectRefused(
      await sendBytes(url, 'GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n'),
      400,
      'invalid_request',
    );
    expect(await sendBytes(url, 'GET /healthz HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('an expectation that nobody knows is passed over', async () => {
    const request = 'GET /healthz HTTP/1.1\r\nhost: x\r\nexpect: miracles\r\nconnection: close\r\n\r\n';
    expect(await sendBytes(url, request)).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('a wish for another protocol is passed over, where nobody speaks it', async () => {
    const asking = (path: string) =>
      sendBytes(
        url,
        `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close, Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n\r\n`,
      );
    expect(await asking('/healthz')).toMatch(/^HTTP\/1\.1 200 [^]*\{"status":"ok"\}$/);
    expect(await asking('/v1/me')).toMatch(/^HTTP\/1\.1 401 [^]*"code":"unauthenticated"/);
    expect(await asking('/socket.io/?EIO=4&transport=websocket')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await asking('/socket.io/?EIO=4&transport=polling')).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('an event stream of which the head alone is asked for leaves its connection to the next request', async () => {
    const conversationId = await ada.converse();
    const { generation } = await ada.ask(conversationId, 'x');
    const lines = `host: x\r\nauthorization: Bearer ${ada.token}\r\n`;
    for (const path of [`conversations/${conversationId}`, `generations/${generation.id}`]) {
      const head = `HEAD /v1/${path}/events HTTP/1.1\r\n${lines}\r\n`;
      const next = `GET /healthz HTTP/1.1\r\n${lines}connection: close\r\n\r\n`;
      const answers = await sendBytes(url, head + next);
      expect(answers.match(/^HTTP\/1\.1 200 /gm)).toHaveLength(2);
      expect(answers).toContain('text/event-stream');
      expect(answers.trimEnd()).toMatch(/\{"status":"ok"\}$/);
    }
  });

  test('a stream that names a room twice is refused: it would say everything twice', async () => {
    const room = `room=conversation:${await ada.converse()}`;
    expect(await ada.call('GET', `/v1/events?${room}&${room}`)).toMatchObject({
      status: 400,
      body: { code: 'invalid_request' },
    });
  });

  test('garbage behind a request ends an answer that has begun, and puts nothing into it', async () => {
    const head = `GET /v1/conversations/${await ada.converse()}/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${ada.token}\r\n\r\n`;
    const next = 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n';
    for (const behind of ['', next]) {
      const socket = await connection();
      socket.write(head + behind);
      const pieces: string[] = [];
      for await (const piece of socket as AsyncIterable<Buffer>) {
        if (pieces.length === 0) socket.write('garbage\r\n\r\n');
        pieces.push(piece.toString());
      }
      const answer = pieces.join('');
      expect(answer).toMatch(/^HTTP\/1\.1 200 /);
      expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
    }
  });

  test(
    'a head of a byte a second, and a body that never comes, are cut off while others are served; a document may take longer',
    { timeout: 120_000 },
    async () => {
      const upload = await connection();
      upload.write(
        `POST /v1/documents HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${ada.token}\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: 1000000\r\n\r\n--b\r\n`,
      );
      const slowHead = await connection();
      const head = 'GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ';
      let sent = 0;
      const drip = setInterval(() => slowHead.write(head[sent++] ?? 'x'), 1000);
      const noBody = await connection();
      noBody.write(
        `POST /v1/sessions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`,
      );
      const begun = performance.now();
      const [cutHead, cutBody] = await Promise.all(
        [slowHead, noBody].map(async (socket) => {
          const answer = await text(socket);
          return { answer, afterMs: performance.now() - begun };
        }),
      );
      clearInterval(drip);
      expectRefused(cutHead?.answer, 408, 'invalid_request');
      expectRefused(cutBody?.answer, 408, 'invalid_request');
      expect(cutHead?.afterMs).toBeLessThan(20_000);
      expect(cutBody?.afterMs).toBeLessThan(75_000);
      // One that was cut off with it would be told so by now.
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
      expect({ bytesRead: upload.bytesRead, closed: upload.closed }).toEqual({ bytesRead: 0, closed: false });
    },
  );

  test('a thousand connections that say nothing keep nobody from being served', async () => {
    await Promise.all(Array.from({ length: 1000 }, connection));
    const id = await ada.converse();
    expect((await ada.call('GET', `/v1/conversations/${id}`)).status).toBe(200);
    const socket = ada.socket(id);
    await socket.connect();
    expect(socket.ack?.resumed).toBe(false);
    ada.leave();
  });

  test('five hundred sockets that never say who they are keep nobody from being served', async () => {
    const strangers = Array.from({ length: 500 }, () =>
      io(url, { forceNew: true, transports: ['websocket'], reconnection: false, auth: { token: 'x' } }),
    );
    const errors = await Promise.all(
      strangers.map(
        (socket) =>
          new Promise<string | undefined>((resolve) => {
            socket.once('connect_error', (error: Error & { data?: { code?: string } }) => {
              resolve(error.data?.code);
            });
          }),
      ),
    );
    expect(new Set(errors)).toEqual(new Set(['unauthenticated']));
    expect(await ada.converse()).toMatch(/^[0-9a-f-]{36}$/);
    for (const socket of strangers) socket.disconnect();
  });
});
