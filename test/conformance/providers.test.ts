import { getEventListeners } from 'node:events';
import { afterAll, describe, expect, test } from 'vitest';
import type { Chunk } from '../../src/domain/content.js';
import { ProviderError, type ProviderRequest, type ResponseHead } from '../../src/providers/provider.js';
import { collect, contentOf } from '../support/upstream-chunks.js';
import { subjects, type Script } from '../support/upstream-subjects.js';

const apiKey = 'sk-very-secret';

describe.each(Object.entries(subjects))('the %s provider', (name, subject) => {
  const opened = subject.startUpstream().then((upstream) => ({
    upstream,
    provider: subject.create(upstream.url, apiKey),
  }));
  afterAll(async () => {
    const { upstream, provider } = await opened;
    await provider.close();
    await upstream.close();
  });

  const request: ProviderRequest = {
    model: subject.model,
    system: 'Be brief.',
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Tell me a story, please.' }] }],
    maxTokens: 4096,
  };

  /** Makes a call, and gives its answer to write. */
  const call = async (changes: Partial<ProviderRequest> = {}, signal = new AbortController().signal) => {
    const { provider, upstream } = await opened;
    const chunks: Chunk[] = [];
    const heads: ResponseHead[] = [];
    const ended = (async () => {
      const options = { signal, onResponse: (head: ResponseHead) => heads.push(head) };
      for await (const chunk of provider.stream({ ...request, ...changes }, options)) chunks.push(chunk);
    })();
    const failed = ended.then(
      () => undefined,
      (error: unknown) => error,
    );
    return { answer: await upstream.nextRequest(), upstream, chunks, heads, ended, failed };
  };

  /** The same answer streamed and in one piece. */
  const bothWays = async (write: (answer: Script) => void, changes: Partial<ProviderRequest> = {}) => {
    const streamed = await call(changes);
    write(streamed.answer);
    await streamed.ended;
    const { provider, upstream } = await opened;
    const calling = provider.complete({ ...request, ...changes }, { signal: new AbortController().signal });
    write(await upstream.nextRequest());
    return [streamed.chunks, await calling] as const;
  };

  test('brings text in the order of the Messages API', async () => {
    const { answer, chunks, ended } = await call();
    answer.text('Once').text(' upon').text(' a time').stop();
    await ended;
    expect(chunks.map(({ type }) => type).join(' ')).toMatch(
      /^message_start content_block_start( content_block_delta){3} content_block_stop message_delta message_stop$/,
    );
    expect(contentOf(chunks)).toEqual([{ type: 'text', text: 'Once upon a time' }]);
    expect(chunks[0]).toMatchObject({ message: { role: 'assistant', model: subject.model, content: [] } });
  });

  test('brings a chunk as soon as it is there', async () => {
    const { answer, chunks, ended } = await call();
    answer.text('Once');
    await expect.poll(() => contentOf(chunks)).toEqual([{ type: 'text', text: 'Once' }]);
    answer.stop();
    await ended;
  });

  test('keeps characters whole wherever the bytes are cut', async () => {
    const { answer, chunks, ended } = await call();
    const text = 'Ünïcode ☕🫖 👩‍👩‍👧 é\n\n日本';
    answer.text('');
    for (const byte of Buffer.from(subject.frameOf(text))) answer.raw(Uint8Array.of(byte));
    answer.stop();
    await ended;
    expect(contentOf(chunks)).toEqual([{ type: 'text', text }]);
  });

  test('says the same in one piece as in a stream', async () => {
    const [streamed, whole] = await bothWays((answer) => {
      answer
        .thinking('Hm.')
        .text('Let me see.')
        .call('AbCdEf123', 'add', '{"a":1,', '"b":2}')
        .stop({ stopReason: 'tool_use', outputTokens: 40 });
    });
    expect(contentOf(whole)).toEqual(contentOf(streamed));
    expect(whole[0]).toMatchObject({ type: 'message_start', message: { model: subject.model } });
    expect(whole.slice(-2)).toEqual(streamed.slice(-2));
  });

  test('brings several tool calls, each in its block, its input as it is written', async () => {
    const { answer, chunks, ended } = await call();
    answer
      .text('Let me see.')
      .call('AbCdEf123', 'get_weather', '{"city":', '"Zür', 'ich"}')
      .call('AbCdEf124', 'now', '{}')
      .stop({ stopReason: 'tool_use' });
    await ended;
    expect(contentOf(chunks)).toEqual([
      { type: 'text', text: 'Let me see.' },
      { type: 'tool_use', id: 'AbCdEf123', name: 'get_weather', input: { city: 'Zürich' } },
      { type: 'tool_use', id: 'AbCdEf124', name: 'now', input: {} },
    ]);
    expectOrdered(chunks);
    const pieces = chunks.filter(({ type }) => type === 'content_block_delta').length;
    expect(pieces).toBe(5);
    expect(chunks.at(-2)).toMatchObject({ delta: { stop_reason: 'tool_use' } });
  });

  test('keeps thinking apart from the text', async () => {
    const { answer, chunks, ended } = await call();
    answer.thinking('First ').thinking('this.').text('So it is.').stop();
    await ended;
    expectOrdered(chunks);
    expect(contentOf(chunks)).toEqual([
      { type: 'thinking', thinking: 'First this.', signature: '' },
      { type: 'text', text: 'So it is.' },
    ]);
  });

  test('leaves out what was thought where nobody wants to see it', async () => {
    const both = await bothWays(
      (answer) => {
        answer.thinking('First ').thinking('this.').text('So it is.').stop();
      },
      { thinking: { type: 'adaptive', display: 'omitted' } },
    );
    for (const chunks of both) {
      expect(JSON.stringify(chunks)).not.toContain('this.');
      expect(contentOf(chunks).at(-1)).toEqual({ type: 'text', text: 'So it is.' });
    }
  });

  test.each(['end_turn', 'max_tokens', 'tool_use', 'refusal'])(
    'ends with the stop reason %s',
    async (stopReason) => {
      const [streamed, whole] = await bothWays((answer) => {
        answer.text('So').stop({ stopReason });
      });
      for (const chunks of [streamed, whole])
        expect(chunks.at(-2)).toMatchObject({ type: 'message_delta', delta: { stop_reason: stopReason } });
    },
  );

  test('tells its usage by the end', async () => {
    const both = await bothWays((answer) => {
      answer.text('So').stop({ outputTokens: 77 });
    });
    for (const chunks of both) {
      const usage = chunks.reduce(
        (sum, chunk) => ({
          ...sum,
          ...(chunk.type === 'message_start' && chunk.message.usage),
          ...(chunk.type === 'message_delta' && chunk.usage),
        }),
        {},
      );
      expect(usage).toMatchObject({ input_tokens: 10, output_tokens: 77 });
    }
  });

  test('tells the head of the answer once, before the first chunk', async () => {
    const { answer, heads, chunks, ended } = await call();
    answer.hang({ 'x-ratelimit-remaining-requests': '49', 'retry-after': '3', 'x-other': 'x' });
    await expect.poll(() => heads.length).toBe(1);
    expect(chunks).toEqual([]);
    answer.text('So').stop();
    await ended;
    expect(heads).toEqual([
      {
        requestId: expect.stringMatching(/^req_/) as string,
        rateLimits: { 'x-ratelimit-remaining-requests': '49', 'retry-after': '3' },
        // What each provider's headers say has tests of its own.
        limits: expect.any(Array) as unknown[],
      },
    ]);
  });

  test.each([
    [400, 'provider_error', false],
    [401, 'provider_auth', false],
    [403, 'provider_auth', false],
    [404, 'provider_error', false],
    [408, 'provider_error', true],
    [422, 'provider_error', false],
    [429, 'provider_rate_limited', true],
    [500, 'provider_error', true],
    [502, 'provider_error', true],
    [503, 'provider_overloaded', true],
  ])('takes the status %i for %s', async (status, code, retryable) => {
    const { answer, heads, upstream, failed } = await call();
    const before = upstream.requests.length;
    answer.fail(status);
    const error = await failed;
    expect(error).toBeInstanceOf(ProviderError);
    expect(error).toMatchObject({ code, retryable, statusCode: status, provider: name });
    expect(heads).toEqual([]);
    expect(upstream.requests.length).toBe(before);
    expect(upstream.open).toBe(0);
  });

  test('tells what is wrong with a request, and never the key', async () => {
    const { answer, failed } = await call();
    const message = `no such model, says ${apiKey}`;
    answer.fail(400, {
      type: 'error',
      object: 'error',
      message,
      error: { type: 'invalid_request_error', message },
    });
    expect(String(await failed)).toContain('no such model, says …');
    expect(String(await failed)).not.toContain(apiKey);
  });

  test.each([301, 302, 307, 308])('does not follow a redirect by %i', async (status) => {
    const { answer, failed } = await call();
    answer.fail(status, '<html>Moved</html>', { 'content-type': 'text/html', location: '/elsewhere' });
    expect(await failed).toMatchObject({ code: 'provider_error', retryable: false, statusCode: status });
    expect(String(await failed)).toContain('base URL');
  });

  test('takes a page of HTML for an error that may pass', async () => {
    const { answer, failed } = await call();
    answer.fail(502, '<html>Bad gateway</html>', { 'content-type': 'text/html' });
    expect(await failed).toMatchObject({ code: 'provider_error', retryable: true, statusCode: 502 });
    expect(String(await failed)).not.toContain('html');
  });

  test('tells how long to wait', async () => {
    const { answer, failed } = await call();
    answer.fail(429, undefined, { 'retry-after': '7' });
    expect(await failed).toMatchObject({ retryAfterMs: 7000 });
  });

  test.each<[string, (answer: Script) => unknown]>([
    ['the stream ends early', (answer) => answer.end()],
    ['the connection is cut', (answer) => answer.cut()],
    ['data comes that is no JSON', (answer) => answer.raw('event: message_delta\ndata: {oh\n\n').stop()],
    [
      'data comes that is no chunk',
      (answer) => answer.raw('event: message_start\ndata: {"type":"message_start"}\n\n').end(),
    ],
  ])('fails after the text so far where %s', async (_, happens) => {
    const { answer, chunks, failed } = await call();
    answer.text('Half');
    await expect.poll(() => contentOf(chunks)).toEqual([{ type: 'text', text: 'Half' }]);
    happens(answer);
    expect(await failed).toBeInstanceOf(ProviderError);
    expect(await failed).toMatchObject({ code: 'provider_error', retryable: true, statusCode: null });
    expect(chunks.at(-1)?.type).toBe('content_block_delta');
  });

  test('fails where an answer that is no stream comes for one', async () => {
    const { answer, failed } = await call();
    answer.fail(200, { hello: 'world' });
    expect(await failed).toMatchObject({ code: 'provider_error', retryable: true });
  });

  test.each<[string, (answer: Script) => unknown]>([
    ['before there is a status', () => undefined],
    ['while the model is silent', (answer) => answer.hang()],
    ['in the middle of the text', (answer) => answer.text('Half')],
    ['in the middle of a tool call', (answer) => answer.call('AbCdEf123', 'add', '{"a":')],
  ])('closes the connection at once on an abort %s', async (_, happens) => {
    const controller = new AbortController();
    const { answer, heads, chunks, failed } = await call({}, controller.signal);
    if (happens(answer)) await expect.poll(() => heads.length).toBe(1);
    const reason = new Error('stop');
    const abortedAtMs = performance.now();
    controller.abort(reason);
    expect(await failed).toBe(reason);
    expect((await answer.closed) - abortedAtMs).toBeLessThan(250);
    expect(chunks.some(({ type }) => type === 'message_stop')).toBe(false);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  test('closes the connection on an abort where nobody reads on', async () => {
    const { provider, upstream } = await opened;
    const controller = new AbortController();
    const chunks = provider.stream(request, controller)[Symbol.asyncIterator]();
    const first = chunks.next();
    const answer = await upstream.nextRequest();
    answer.text('Half');
    await first;
    controller.abort(new Error('stop'));
    await answer.closed;
    await expect(chunks.next()).rejects.toThrow('stop');
  });

  test('closes the connection of a blocking call on an abort', async () => {
    const { provider, upstream } = await opened;
    const controller = new AbortController();
    const calling = provider.complete(request, controller);
    const answer = await upstream.nextRequest();
    const reason = new Error('stop');
    controller.abort(reason);
    await expect(calling).rejects.toBe(reason);
    await answer.closed;
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  test('throws the reason of an abort that came before the call, and asks nobody', async () => {
    const { provider, upstream } = await opened;
    const before = upstream.requests.length;
    const reason = new Error('never mind');
    const signal = AbortSignal.abort(reason);
    await expect(collect(provider, request, signal)).rejects.toBe(reason);
    await expect(provider.complete(request, { signal })).rejects.toBe(reason);
    expect(upstream.requests.length).toBe(before);
  });

  test.each(['message_start', 'content_block_delta', 'message_stop'])(
    'leaves no listener on the signal when the reader leaves at %s',
    async (type) => {
      const { provider, upstream } = await opened;
      const controller = new AbortController();
      const reading = (async () => {
        for await (const chunk of provider.stream(request, controller)) if (chunk.type === type) break;
      })();
      (await upstream.nextRequest()).text('One').text('Two').stop();
      await reading;
      await expect.poll(() => getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    },
  );

  test('closes the connection when the reader leaves in the middle', async () => {
    const { provider, upstream } = await opened;
    const reading = (async () => {
      for await (const chunk of provider.stream(request, { signal: new AbortController().signal }))
        if (chunk.type === 'content_block_delta') break;
    })();
    const answer = await upstream.nextRequest();
    answer.text('Half');
    await reading;
    await answer.closed;
  });

  test('uses a connection for more than one call', async () => {
    const ports = new Set<number | undefined>();
    for (let round = 0; round < 4; round += 1) {
      const { answer, ended } = await call();
      answer.text('So').stop();
      await ended;
      ports.add(answer.clientPort);
    }
    expect(ports.size).toBeLessThan(4);
  });

  test('fails like a lost connection where nobody listens, and after it was closed', async () => {
    const gone = await subject.startUpstream();
    await gone.close();
    const provider = subject.create(gone.url, apiKey);
    const { signal } = new AbortController();
    const expected = { code: 'provider_error', retryable: true, statusCode: null };
    await expect(provider.complete(request, { signal })).rejects.toMatchObject(expected);
    await expect(collect(provider, request, signal)).rejects.toMatchObject(expected);
    await provider.close();
    await expect(collect(provider, request, signal)).rejects.toMatchObject(expected);
  });

  test('ends the calls that still run when it is closed', async () => {
    const { upstream } = await opened;
    const provider = subject.create(upstream.url, apiKey);
    const calling = collect(provider, request, new AbortController().signal);
    const failed = expect(calling).rejects.toMatchObject({ code: 'provider_error', retryable: true });
    const answer = await upstream.nextRequest();
    answer.text('Half');
    await provider.close();
    await answer.closed;
    await failed;
  });

  test('refuses an API key that cannot be sent, without showing it', () => {
    const create = () => subject.create('http://127.0.0.1:1', 'sk\nsecret');
    expect(create).toThrow(TypeError);
    expect(create).not.toThrow(/secret/);
  });
});

/** One block after the other, counted from 0 without a gap, one start and one end of the message. */
function expectOrdered(chunks: readonly Chunk[]): void {
  let open: number | undefined;
  let next = 0;
  for (const chunk of chunks) {
    switch (chunk.type) {
      case 'content_block_start':
        expect(open).toBeUndefined();
        expect(chunk.index).toBe(next);
        open = next;
        next += 1;
        break;
      case 'content_block_delta':
        expect(chunk.index).toBe(open);
        break;
      case 'content_block_stop':
        expect(chunk.index).toBe(open);
        open = undefined;
        break;
      case 'message_start':
      case 'message_delta':
      case 'message_stop':
        expect(open).toBeUndefined();
    }
  }
  expect(chunks.filter(({ type }) => type === 'message_start')).toHaveLength(1);
  expect(chunks.filter(({ type }) => type === 'message_stop')).toHaveLength(1);
}
