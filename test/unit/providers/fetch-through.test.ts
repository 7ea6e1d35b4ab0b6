import { getEventListeners, once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFetchAgent, type FetchAgent } from '../../../src/providers/fetch-through.js';

let agent: FetchAgent;
let url: string;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const server = createServer((request, response) => {
  answer(request, response);
});

beforeEach(async () => {
  agent = createFetchAgent();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1?a=b`;
});
afterEach(async () => {
  await agent.close();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

test('sends what it is given, and answers with status, headers and body', async () => {
  let asked: unknown;
  answer = (request, response) => {
    void text(request).then((body) => {
      const { method, headers } = request;
      asked = { method, url: request.url, key: headers['x-key'], encoding: headers['accept-encoding'], body };
      response.writeHead(201, 'Made', { 'set-cookie': ['a=1', 'b=2'], 'x-id': 'é' }).end('{"some":"thing"}');
    });
  };
  const response = await agent.fetch(url, { method: 'POST', headers: { 'X-Key': 'k' }, body: 'words' });
  expect(asked).toEqual({ method: 'POST', url: '/v1?a=b', key: 'k', encoding: 'identity', body: 'words' });
  expect(response).toMatchObject({ ok: true, status: 201, statusText: 'Made' });
  expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  expect(await response.json()).toEqual({ some: 'thing' });
});

test('a phrase in another language is left out', async () => {
  answer = (request) =>
    request.socket.end('HTTP/1.1 200 Schl\xfcssel\r\ncontent-length: 2\r\n\r\nok', 'latin1');
  const response = await agent.fetch(url);
  expect(response.statusText).toBe('');
  expect(await response.text()).toBe('ok');
});

test('answers without a body have none', async () => {
  answer = (_request, response) => response.writeHead(204).end();
  expect((await agent.fetch(url)).body).toBeNull();
});

test('a body that nobody can read does not wait at the sender', async () => {
  const sent = new Promise<void>((resolve) => {
    answer = (_request, response) => response.writeHead(205).end(Buffer.alloc(64 * 1024 * 1024), resolve);
  });
  expect((await agent.fetch(url)).body).toBeNull();
  await sent;
});

test('reads what a gateway compresses all the same', async () => {
  answer = (_request, response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('data: words'));
  expect(await (await agent.fetch(url)).text()).toBe('data: words');
});

test('a redirect is an answer: no key is sent to where it leads', async () => {
  const asked: (string | undefined)[] = [];
  answer = ({ url: path }, response) => {
    asked.push(path);
    response.writeHead(307, { location: '/there' }).end();
  };
  const response = await agent.fetch(url, { method: 'POST', body: 'x', headers: { 'x-api-key': 'k' } });
  expect([response.status, response.headers.get('location')]).toEqual([307, '/there']);
  expect(asked).toEqual(['/v1?a=b']);
});

test('a request that cannot be sent lets go of its signal', async () => {
  const { signal } = new AbortController();
  await expect(agent.fetch(url, { method: 'NO METHOD', signal })).rejects.toThrow('invalid request method');
  await agent.close();
  await expect(agent.fetch(url, { signal })).rejects.toThrow('destroyed');
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('takes no body but text', async () => {
  await expect(agent.fetch(url, { method: 'POST', body: new Blob(['x']) })).rejects.toThrow(TypeError);
});

test('what is not read waits at the sender, and comes whole when it is read', async () => {
  const size = 64 * 1024 * 1024;
  let sending: ServerResponse | undefined;
  answer = (_request, response) => {
    sending = response;
    response.end(Buffer.alloc(size, 'x'));
  };
  const { body } = await agent.fetch(url);
  const reader = body?.getReader();
  let read = (await reader?.read())?.value?.length ?? 0;
  expect(sending?.writableFinished).toBe(false);
  expect(sending?.socket?.writableLength).toBeGreaterThan(size / 2);
  for (let piece = await reader?.read(); piece && !piece.done; piece = await reader?.read())
    read += piece.value.length;
  expect(read).toBe(size);
});

test.each(['before the head', 'in the body'])('an abort %s closes the connection', async (when) => {
  const controller = new AbortController();
  const reason = new Error('stopped');
  const closed = new Promise<void>((resolve) => {
    answer = (request, response) => {
      request.socket.once('close', () => {
        resolve();
      });
      if (when === 'in the body') response.write('half');
      else controller.abort(reason);
    };
  });
  const reading = agent.fetch(url, { signal: controller.signal }).then(async ({ body }) => {
    const reader = body?.getReader();
    await reader?.read();
    controller.abort(reason);
    return reader?.read();
  });
  await expect(reading).rejects.toBe(reason);
  await closed;
});

test('one who does not read on closes the connection', async () => {
  const closed = new Promise<void>((resolve) => {
    answer = (request, response) => {
      request.socket.once('close', () => {
        resolve();
      });
      response.write('half');
    };
  });
  await (await agent.fetch(url)).body?.cancel();
  await closed;
});

test('a connection that breaks in the body fails the reading', async () => {
  answer = (request, response) => {
    response.write('half', () => request.socket.destroy());
  };
  await expect((await agent.fetch(url)).text()).rejects.toThrow();
});
