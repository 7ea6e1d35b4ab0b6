import { getEventListeners } from 'node:events';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { TokencastHttp } from '../../../src/client/http.js';

/** An API over a `fetch` of the test's own, with what it was asked. */
function apiWith(respond: (request: Request) => Response | Promise<Response>) {
  const asked: Request[] = [];
  const api = new TokencastHttp({
    baseUrl: 'http://test.invalid',
    getToken: () => 'secret',
    fetch: (input, init) => {
      const request = new Request(input, init);
      asked.push(request);
      return Promise.resolve(respond(request));
    },
  });
  return { api, asked };
}

const never = (request: Request) =>
  new Promise<Response>((_resolve, reject) => {
    const abort = () => {
      reject(request.signal.reason as Error);
    };
    request.signal.addEventListener('abort', abort);
    if (request.signal.aborted) abort();
  });

const problem = (status: number, body: object, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
  });

describe('the HTTP client', () => {
  test('sends the token, the body and the key of the request', async () => {
    const { api, asked } = apiWith(() => Response.json({ message: { id: 'm' } }, { status: 202 }));
    await api.sendMessage('c 1', { content: 'Hello', clientId: 'mine' }, { idempotencyKey: 'key' });
    const [request] = asked;
    expect(request?.method).toBe('POST');
    expect(request?.url).toBe('http://test.invalid/v1/conversations/c%201/messages');
    expect(request?.headers.get('authorization')).toBe('Bearer secret');
    expect(request?.headers.get('idempotency-key')).toBe('key');
    expect(await request?.json()).toEqual({ content: 'Hello', clientId: 'mine' });
  });

  test('puts the paging that is given into the address, and nothing else', async () => {
    const { api, asked } = apiWith(() => Response.json({ items: [], nextBefore: null }));
    await api.listMessages('c', { limit: 10, before: 'b' });
    await api.listConversations();
    expect(asked.map(({ url }) => new URL(url).search)).toEqual(['?limit=10&before=b', '']);
  });

  test('throws what a problem document says', async () => {
    const errors = [{ path: 'content', message: 'is too long' }];
    const { api } = apiWith(() =>
      problem(429, { code: 'rate_limited', detail: 'Too fast.', errors }, { 'retry-after': '7' }),
    );
    await expect(api.listModels()).rejects.toMatchObject({
      name: 'TokencastError',
      code: 'rate_limited',
      status: 429,
      detail: 'Too fast.',
      errors,
      retryAfterSeconds: 7,
      retryable: true,
    });
  });

  test('has a plain sentence for the error page of a proxy', async () => {
    const { api } = apiWith(() => new Response('<h1>Bad gateway</h1>', { status: 502 }));
    await expect(api.listModels()).rejects.toMatchObject({ code: 'unavailable', status: 502 });
  });

  test('tells a server that is away from one that is slow', async () => {
    const away = apiWith(() => Promise.reject(new TypeError('fetch failed')));
    await expect(away.api.listModels()).rejects.toMatchObject({ code: 'unreachable', status: 0 });
    const slow = apiWith(never);
    await expect(slow.api.listModels({ timeoutMs: 10 })).rejects.toMatchObject({
      code: 'timeout',
      status: 0,
    });
  });

  test("throws the reason of the caller's signal", async () => {
    const { api } = apiWith(never);
    const leaving = new AbortController();
    const asked = api.getGeneration('g', { signal: leaving.signal });
    const reason = new Error('left the page');
    leaving.abort(reason);
    await expect(asked).rejects.toBe(reason);
    await expect(api.getGeneration('g', { signal: leaving.signal })).rejects.toBe(reason);
  });

  test('leaves no timer, and nothing on the signal of the caller, however a request ends', async () => {
    vi.useFakeTimers();
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const { signal } = new AbortController();
    const listening: number[] = [];
    const { api } = apiWith((request) => {
      listening.push(getEventListeners(signal, 'abort').length);
      return listening.length === 1 ? Response.json({ items: [] }) : never(request);
    });
    await api.listModels({ signal });
    expect(vi.getTimerCount()).toBe(0);
    const late = expect(api.listModels({ signal })).rejects.toMatchObject({ code: 'timeout' });
    await vi.advanceTimersByTimeAsync(10_000);
    await late;
    expect(listening).toEqual([1, 1]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
