import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';
import { ThreadPool } from '../../../../src/lib/thread-pool.js';
import { createFetchUrl } from '../../../../workers/tools/fetch-url.js';
import { isPublicAddress } from '../../../../workers/tools/public-address.js';

const threads = new ThreadPool();
const pages: Record<string, RequestListener> = {
  '/text': (_, response) => response.writeHead(200, { 'content-type': 'text/plain' }).end('Grüße'),
  '/latin': (_, response) =>
    response
      .writeHead(200, { 'content-type': 'text/plain; charset=iso-8859-1' })
      .end(Buffer.from('Grüße', 'latin1')),
  '/json': (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"a":1}'),
  '/page': (_, response) =>
    response
      .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
      .end('<title>t</title><body><nav>Menu</nav><h1>News</h1><script>evil()</script><p>All <b>well</b>.'),
  '/image': (_, response) => response.writeHead(200, { 'content-type': 'image/png' }).end('x'),
  '/missing': (_, response) => response.writeHead(404, { 'content-type': 'text/plain' }).end('no'),
  '/endless': (_, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' });
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
    };
    response.on('drain', more);
    more();
  },
  '/silent': () => undefined,
  '/moved': (_, response) => response.writeHead(302, { location: '/text' }).end(),
  '/loop': (_, response) => response.writeHead(302, { location: '/loop' }).end(),
  '/to-other': (_, response) => response.writeHead(302, { location: 'http://other.test/' }).end(),
  '/to-inside': (_, response) => response.writeHead(302, { location: 'http://127.0.0.2:1/' }).end(),
  '/to-file': (_, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
};
let asked = 0;
const server = createServer((request, response) => {
  asked += 1;
  pages[request.url ?? '']?.(request, response);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
const root = `http://localhost:${port}`;

afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await threads.close();
});

/** Reaches the test's own server and nothing else of this machine. */
const tool = createFetchUrl({
  allow: [`localhost:${port}`, '127.0.0.2:1'],
  threads,
  isAllowedAddress: (address) => address === '127.0.0.1' || address === '::1',
});
const fetchUrl = async (url: string, signal = new AbortController().signal) =>
  (await tool.run({ url }, signal)).text;

describe('fetch_url', () => {
  test('gives text, JSON and what a page says', async () => {
    expect(await fetchUrl(`${root}/text`)).toBe('Grüße');
    expect(await fetchUrl(`${root}/latin`)).toBe('Grüße');
    expect(await fetchUrl(`${root}/json`)).toBe('{"a":1}');
    expect(await fetchUrl(`${root}/page`)).toBe('News\n\nAll well.');
  });

  test('follows redirects, as long as they are allowed', async () => {
    expect(await fetchUrl(`${root}/moved`)).toBe('Grüße');
    await expect(fetchUrl(`${root}/loop`)).rejects.toThrow('redirects more than');
    await expect(fetchUrl(`${root}/to-other`)).rejects.toThrow('other.test is not allowed');
    await expect(fetchUrl(`${root}/to-inside`)).rejects.toThrow('not on the public internet');
    await expect(fetchUrl(`${root}/to-file`)).rejects.toThrow('Only http');
  });

  test('reads no more than a megabyte', async () => {
    const text = await fetchUrl(`${root}/endless`);
    expect(text).toMatch(/^x{1000000}\n\n\(cut off after/);
  });

  test.each([
    ['/image', 'It is no text, but image/png'],
    ['/missing', 'answered 404'],
  ])('says why %s cannot be read', async (path, problem) => {
    await expect(fetchUrl(root + path)).rejects.toThrow(problem);
  });

  test.each([
    ['ftp://example.com/', 'Only http'],
    ['nonsense', 'no address'],
    [`http://user:secret@localhost/`, 'password'],
    ['http://example.com/', 'is not allowed'],
    [`http://localhost/`, 'is not allowed'],
    [`http://localhost:${port}@evil.test/`, 'password'],
  ])('does not ask %s', async (url, problem) => {
    const before = asked;
    await expect(fetchUrl(url)).rejects.toThrow(problem);
    expect(asked).toBe(before);
  });

  test('stops when it is cancelled', async () => {
    const controller = new AbortController();
    const failed = expect(fetchUrl(`${root}/silent`, controller.signal)).rejects.toThrow('enough');
    controller.abort(new Error('enough'));
    await failed;
  });

  test('reaches no address inside, by whatever name it is called, even where all hosts are allowed', async () => {
    const open = createFetchUrl({ allow: ['*', `*:${port}`], threads });
    const before = asked;
    for (const host of [
      'localhost',
      '127.0.0.1',
      '2130706433',
      '0x7f.1',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '0.0.0.0',
    ])
      await expect(
        open.run({ url: `http://${host}:${port}/text` }, new AbortController().signal),
      ).rejects.toThrow('not on the public internet');
    expect(asked).toBe(before);
  });
});

test('allowed hosts may stand for their subdomains', async () => {
  const some = createFetchUrl({ allow: ['*.example.test'], threads });
  const { signal } = new AbortController();
  await expect(some.run({ url: 'http://a.example.test/' }, signal)).rejects.toThrow('cannot be reached');
  await expect(some.run({ url: 'http://example.test/' }, signal)).rejects.toThrow('not allowed');
  await expect(some.run({ url: 'http://badexample.test/' }, signal)).rejects.toThrow('not allowed');
});

test.each([
  ['93.184.216.34', true],
  ['2606:2800:220:1:248:1893:25c8:1946', true],
  ['127.0.0.1', false],
  ['10.1.2.3', false],
  ['172.16.0.1', false],
  ['192.168.1.1', false],
  ['169.254.169.254', false],
  ['100.64.0.1', false],
  ['0.0.0.0', false],
  ['224.0.0.1', false],
  ['::', false],
  ['::1', false],
  ['fe80::1', false],
  ['fd00::1', false],
  ['::ffff:10.0.0.1', false],
  ['64:ff9b::a00:1', false],
  ['2002:a00:1::', false],
  ['nonsense', false],
])('%s is public: %s', (address, expected) => {
  expect(isPublicAddress(address)).toBe(expected);
});
