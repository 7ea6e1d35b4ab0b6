import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ignoreUpgrades } from '../../../src/api/ignore-upgrades.js';

let server: Server;
let client: Socket;
/** Says what it was asked, headers and body; `/slow` never. */
async function echo(request: IncomingMessage): Promise<string> {
  const { method, url, headers } = request;
  return JSON.stringify({ method, url, headers, body: await text(request) });
}

beforeEach(async () => {
  server = createServer((request, response) => {
    if (request.url === '/slow') return;
    void echo(request).then((said) => response.end(said));
  });
  ignoreUpgrades(server, ({ url }) => url === '/taken');
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => undefined);
});
afterEach(() => {
  client.destroy();
  server.close();
  server.closeAllConnections();
});

const wish = 'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n';
const last = 'GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';

/** What was understood of each request of the connection. */
async function understood(bytes: string): Promise<unknown[]> {
  client.write(bytes);
  const answers = (await text(client)).split(/HTTP\/1\.1 200 OK\r\n[^{]*/).slice(1);
  return answers.map((answer) => JSON.parse(answer) as unknown);
}

test('a wish for another protocol is passed over, and the connection goes on as it was', async () => {
  const first = `GET /a?b=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n${wish}X-Kept: 1\r\nx-kept: é\r\n\r\n`;
  expect(await understood(first + last)).toEqual([
    { method: 'GET', url: '/a?b=1', headers: { host: 'x', 'x-kept': '1, Ã©' }, body: '' },
    { method: 'GET', url: '/last', headers: { host: 'x', connection: 'close' }, body: '' },
  ]);
});

test.each([
  ['of a known length', 'Content-Length: 5\r\n\r\nhello'],
  ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n'],
])('a body %s is not lost with the wish', async (_kind, rest) => {
  const head = `POST /a HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\n${wish}`;
  expect(await understood(head + rest + last)).toMatchObject([
    { method: 'POST', headers: { connection: 'keep-alive' }, body: 'hello' },
    { url: '/last', body: '' },
  ]);
});

test('a body that comes later than its head is waited for', async () => {
  server.prependOnceListener('upgrade', () => client.write('hello'));
  const head = `POST /a HTTP/1.1\r\nHost: x\r\nConnection: close, Upgrade\r\n${wish}Content-Length: 5\r\n\r\n`;
  expect(await understood(head)).toMatchObject([{ method: 'POST', body: 'hello' }]);
});

test('who wishes twice is answered twice', async () => {
  client.write(`GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n${wish}\r\n`);
  await once(client, 'data');
  const again = `GET /b HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\n${wish}\r\n`;
  expect(await understood(again)).toMatchObject([{ url: '/b', headers: { connection: 'close' } }]);
});

test('a wish behind a request that is not answered yet ends the connection: answers keep their order', async () => {
  const slow = 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n';
  client.write(`${slow}GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n${wish}\r\n`);
  expect(await text(client)).toBe('');
});

test('a wish that somebody else answers is left to them', async () => {
  server.on('upgrade', (request, socket) => {
    if (request.url === '/taken') socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n');
  });
  client.write('GET /taken HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  expect(await text(client)).toBe('HTTP/1.1 101 Switching Protocols\r\n\r\n');
});
