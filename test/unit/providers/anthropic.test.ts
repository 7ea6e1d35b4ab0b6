import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Chunk } from '../../../src/domain/content.js';
import { createAnthropicProvider } from '../../../src/providers/anthropic.js';
import { ProviderError, type ProviderRequest, type ResponseHead } from '../../../src/providers/provider.js';
import { startUpstream, type Upstream } from '../../support/upstream.js';
import { contentOf } from '../../support/upstream-chunks.js';

const apiKey = 'sk-ant-very-secret';
const request: ProviderRequest = {
  model: 'claude-test',
  system: null,
  messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello?' }] }],
  maxTokens: 100,
};

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterEach(() => {
  upstream.answerByHand();
});
afterAll(() => upstream.close());

/** Begins a call, and gathers what comes of it. */
function call(changes: Partial<ProviderRequest> = {}, signal = new AbortController().signal) {
  const provider = createAnthropicProvider({ apiKey, baseUrl: upstream.url });
  const chunks: Chunk[] = [];
  const heads: ResponseHead[] = [];
  const ended = (async () => {
    const options = { signal, onResponse: (head: ResponseHead) => heads.push(head) };
    for await (const chunk of provider.stream({ ...request, ...changes }, options)) chunks.push(chunk);
  })();
  const error = ended.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { chunks, heads, ended, error };
}

describe('the chunks of the Anthropic provider', () => {
  test('are the known events with their known fields alone', async () => {
    const { chunks, ended } = call();
    const answer = await upstream.nextRequest();
    answer.start({ inputTokens: 7, id: 'msg_1' }).ping();
    answer.raw('event: heartbeat\ndata:\n\n');
    answer.event('something_new', { content: 1 });
    answer
      .block({ type: 'text', text: '', secret: true })
      .delta({ type: 'text_delta', text: 'Hi', extra: 1 });
    answer.delta({ type: 'unknown_delta', text: 'x' });
    answer.stop({ outputTokens: 3, stopReason: 'refusal' });
    await ended;
    expect(chunks).toEqual([
      {
        type: 'message_start',
        message: {
          id: 'msg_1',
          type: 'message',
          role: 'assistant',
          model: 'claude-test',
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: { input_tokens: 7, output_tokens: 1 },
        },
      },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } },
      { type: 'content_block_stop', index: 0 },
      {
        type: 'message_delta',
        delta: { stop_reason: 'refusal', stop_sequence: null },
        usage: { input_tokens: 7, output_tokens: 3 },
      },
      { type: 'message_stop' },
    ]);
  });

  test('leave out blocks of unknown kinds and close up the indexes', async () => {
    const { chunks, ended } = call();
    const answer = await upstream.nextRequest();
    answer.thinking('Hm').delta({ type: 'signature_delta', signature: 'abc' });
    answer.block({ type: 'something_new', id: 'x', name: 'web_search', input: {} });
    answer.delta({ type: 'input_json_delta', partial_json: '{}' });
    answer.text('Found').stop();
    await ended;
    expect(chunks.flatMap((chunk) => ('index' in chunk ? `${chunk.index} ${chunk.type}` : []))).toEqual([
      '0 content_block_start',
      '0 content_block_delta',
      '0 content_block_delta',
      '0 content_block_stop',
      '1 content_block_start',
      '1 content_block_delta',
      '1 content_block_stop',
    ]);
  });

  test('bring what the API’s own tools were asked and answered, streamed and in one piece', async () => {
    const found = [{ type: 'web_search_result', url: 'https://example.com', encrypted_content: 'x' }];
    const citation = { type: 'web_search_result_location', url: 'https://example.com', cited_text: 'it is' };
    const expected = [
      { type: 'server_tool_use', id: 's1', name: 'web_search', input: { query: 'it' } },
      { type: 'web_search_tool_result', tool_use_id: 's1', content: found },
      { type: 'text', text: 'It is.', citations: [citation] },
      { type: 'container_upload', file_id: 'file_1' },
    ];
    const { chunks, ended } = call();
    const answer = await upstream.nextRequest();
    answer.block({ type: 'server_tool_use', id: 's1', name: 'web_search', input: {} });
    answer.delta({ type: 'input_json_delta', partial_json: '{"query":' });
    answer.delta({ type: 'input_json_delta', partial_json: '"it"}' });
    answer.block({ type: 'web_search_tool_result', tool_use_id: 's1', content: found });
    answer.text('It is.').delta({ type: 'citations_delta', citation });
    answer.block({ type: 'container_upload', file_id: 'file_1' }).stop({ stopReason: 'pause_turn' });
    await ended;
    expect(contentOf(chunks)).toEqual(expected);
    expect(chunks.at(-2)).toMatchObject({ delta: { stop_reason: 'pause_turn' } });

    const provider = createAnthropicProvider({ apiKey, baseUrl: upstream.url });
    const calling = provider.complete(request, { signal: new AbortController().signal });
    const whole = await upstream.nextRequest();
    for (const block of expected) whole.block(block);
    whole.stop();
    expect(contentOf(await calling)).toEqual(expected);
  });

  test('come one by one, not at the end', async () => {
    const provider = createAnthropicProvider({ apiKey, baseUrl: upstream.url });
    const stream = provider.stream(request, { signal: new AbortController().signal });
    const chunks = stream[Symbol.asyncIterator]();
    const first = chunks.next();
    const answer = await upstream.nextRequest();
    answer.start();
    expect((await first).value).toMatchObject({ type: 'message_start' });
    answer.text('one');
    expect((await chunks.next()).value).toMatchObject({ type: 'content_block_start' });
    expect((await chunks.next()).value).toMatchObject({ delta: { text: 'one' } });
    await chunks.return?.();
    await answer.closed;
  });

  test('end with message_stop even where the connection stays open behind it', async () => {
    const { chunks, ended } = call();
    const answer = await upstream.nextRequest();
    answer.text('all').blockStop();
    answer.event('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 1 } });
    answer.event('message_stop');
    await ended;
    expect(chunks.at(-1)).toEqual({ type: 'message_stop' });
    await answer.closed;
  });

  test('do not repeat the white space at the end of a prefill', async () => {
    const { chunks, ended } = call({
      messages: [...request.messages, { role: 'assistant', content: [{ type: 'text', text: 'One,\n' }] }],
    });
    const answer = await upstream.nextRequest();
    expect(answer.body.messages.at(-1)).toEqual({
      role: 'assistant',
      content: [{ type: 'text', text: 'One,' }],
    });
    answer.text('\n').text('\ntwo').stop();
    await ended;
    expect(textOf(chunks)).toBe('\ntwo');
  });
});

describe('the head of an answer', () => {
  test('has the request id and the rate limits', async () => {
    const { heads, ended } = call();
    const answer = await upstream.nextRequest();
    const limits = { 'anthropic-ratelimit-requests-remaining': '49', 'retry-after': '3' };
    answer.start({ id: 'm', headers: { ...limits, 'request-id': 'req_42', 'x-other': 'x' } }).stop();
    await ended;
    expect(heads).toEqual([{ requestId: 'req_42', rateLimits: limits, limits: [] }]);
  });
});

describe('an answer that fails', () => {
  test.each([
    [400, 'provider_error', false],
    [401, 'provider_auth', false],
    [403, 'provider_auth', false],
    [404, 'provider_error', false],
    [408, 'provider_error', true],
    [409, 'provider_error', true],
    [413, 'provider_error', false],
    [422, 'provider_error', false],
    [429, 'provider_rate_limited', true],
    [500, 'provider_error', true],
    [502, 'provider_error', true],
    [503, 'provider_overloaded', true],
    [529, 'provider_overloaded', true],
  ])('with status %i is a %s', async (status, code, retryable) => {
    const { heads, error } = call();
    (await upstream.nextRequest()).fail(status);
    expect(await error).toBeInstanceOf(ProviderError);
    expect(await error).toMatchObject({ code, retryable, statusCode: status, provider: 'anthropic' });
    expect(heads).toEqual([]);
    expect(upstream.open).toBe(0);
  });

  test('says what is wrong with the request, and never the key', async () => {
    const { error } = call();
    const message = `max_tokens: 9 > 8, says ${apiKey}`;
    const body = { type: 'error', error: { type: 'invalid_request_error', message } };
    (await upstream.nextRequest()).fail(400, body);
    expect(String(await error)).toContain('max_tokens: 9 > 8, says …');
    expect(String(await error)).not.toContain(apiKey);
  });

  test('copes with a body that is not JSON', async () => {
    const { error } = call();
    (await upstream.nextRequest()).fail(502, '<html>Bad gateway</html>', { 'content-type': 'text/html' });
    expect(await error).toMatchObject({ code: 'provider_error', retryable: true });
    expect(String(await error)).not.toContain('html');
  });

  test('tells how long to wait', async () => {
    const { error } = call();
    (await upstream.nextRequest()).fail(429, undefined, { 'retry-after': '7' });
    expect(await error).toMatchObject({ retryAfterMs: 7000 });
  });

  test.each([
    ['overloaded_error', 'provider_overloaded', true],
    ['rate_limit_error', 'provider_rate_limited', true],
    ['api_error', 'provider_error', true],
    ['authentication_error', 'provider_auth', false],
    ['invalid_request_error', 'provider_error', false],
    ['a_new_error', 'provider_error', true],
  ])('in mid-stream with %s is a %s', async (type, code, retryable) => {
    const { chunks, error } = call();
    (await upstream.nextRequest()).text('Half').error({ type, message: 'Oh' });
    expect(await error).toMatchObject({ code, retryable, statusCode: null });
    expect(textOf(chunks)).toBe('Half');
  });

  test('is incomplete without message_stop', async () => {
    const { chunks, error } = call();
    (await upstream.nextRequest()).text('Half').end();
    expect(await error).toBeInstanceOf(ProviderError);
    expect(await error).toMatchObject({ code: 'provider_error', retryable: true, statusCode: null });
    expect(textOf(chunks)).toBe('Half');
  });

  test.each([
    ['a cut connection', (half: Half) => half.cut()],
    ['data that is not JSON', (half: Half) => half.raw('event: message_delta\ndata: {oh\n\n')],
    [
      'an event without its fields',
      (half: Half) => half.raw('event: message_start\ndata: {"type":"message_start"}\n\n'),
    ],
    ['an error event that is not JSON', (half: Half) => half.raw('event: error\ndata: gateway\n\n')],
  ])('is a provider_error that may pass after %s', async (_, happens) => {
    const { error } = call();
    const answer = await upstream.nextRequest();
    happens(answer.text('Half'));
    expect(await error).toBeInstanceOf(ProviderError);
    expect(await error).toMatchObject({ code: 'provider_error', retryable: true, statusCode: null });
  });

  test('is a provider_error that may pass where nobody listens', async () => {
    const gone = await startUpstream();
    await gone.close();
    const provider = createAnthropicProvider({ apiKey, baseUrl: gone.url });
    const calling = provider.complete(request, { signal: new AbortController().signal });
    await expect(calling).rejects.toMatchObject({
      code: 'provider_error',
      retryable: true,
      statusCode: null,
    });
  });

  test('is tried once', async () => {
    const before = upstream.requests.length;
    const { error } = call();
    (await upstream.nextRequest()).fail(500);
    await error;
    expect(upstream.requests.length).toBe(before + 1);
  });
});

type Half = Awaited<ReturnType<Upstream['nextRequest']>>;

describe('an abort closes the connection at once', () => {
  test.each([
    ['before there is a status', () => undefined],
    ['while the model is silent', (half: Half) => half.hang()],
    ['in the middle of the text', (half: Half) => half.text('Half')],
  ])('%s', async (_, happens) => {
    const controller = new AbortController();
    const { chunks, heads, error } = call({}, controller.signal);
    const answer = await upstream.nextRequest();
    const sent = happens(answer);
    if (sent) await expect.poll(() => heads.length).toBe(1);
    const abortedAtMs = performance.now();
    const reason = new Error('stop');
    controller.abort(reason);
    expect(await error).toBe(reason);
    expect((await answer.closed) - abortedAtMs).toBeLessThan(250);
    expect(chunks.some(({ type }) => type === 'message_stop')).toBe(false);
  });

  test('also where nobody reads on', async () => {
    const controller = new AbortController();
    const provider = createAnthropicProvider({ apiKey, baseUrl: upstream.url });
    const chunks = provider.stream(request, controller)[Symbol.asyncIterator]();
    const first = chunks.next();
    const answer = await upstream.nextRequest();
    answer.text('Half');
    await first;
    controller.abort(new Error('stop'));
    await answer.closed;
    await expect(chunks.next()).rejects.toThrow('stop');
  });

  test('of a blocking call', async () => {
    const controller = new AbortController();
    const provider = createAnthropicProvider({ apiKey, baseUrl: upstream.url });
    const calling = provider.complete(request, controller);
    const answer = await upstream.nextRequest();
    controller.abort(new Error('stop'));
    await expect(calling).rejects.toThrow('stop');
    await answer.closed;
  });
});

test('a connection serves more than one call, and none outlives the provider', async () => {
  upstream.answerWith('Hello');
  const provider = createAnthropicProvider({ apiKey, baseUrl: upstream.url });
  const ports = new Set<number | undefined>();
  for (let round = 0; round < 4; round += 1) {
    const chunks = provider.stream(request, { signal: new AbortController().signal });
    for await (const chunk of chunks) if (chunk.type === 'message_stop') break;
    ports.add((await upstream.nextRequest()).clientPort);
  }
  expect(ports.size).toBeLessThan(4);

  upstream.answerByHand();
  const calling = provider.complete(request, { signal: new AbortController().signal });
  const failed = expect(calling).rejects.toMatchObject({ code: 'provider_error', retryable: true });
  const answer = await upstream.nextRequest();
  await provider.close();
  await answer.closed;
  await failed;
});

test('an API key that cannot be sent is refused without being shown', () => {
  const create = () => createAnthropicProvider({ apiKey: 'sk-ant\nsecret' });
  expect(create).toThrow(TypeError);
  expect(create).not.toThrow(/secret/);
});

function textOf(chunks: Chunk[]): string {
  return chunks
    .map((chunk) =>
      chunk.type === 'content_block_delta' && chunk.delta.type === 'text_delta' ? chunk.delta.text : '',
    )
    .join('');
}
