import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Chunk } from '../../../src/domain/content.js';
import { createOpenaiProvider } from '../../../src/providers/openai.js';
import type { Provider, ProviderRequest } from '../../../src/providers/provider.js';
import { startOpenaiUpstream, type ChatRequest } from '../../support/openai-upstream.js';
import { collect, contentOf } from '../../support/upstream-chunks.js';
import type { ScriptedServer } from '../../support/upstream-server.js';

let upstream: ScriptedServer<ChatRequest>;
let provider: Provider;
beforeAll(async () => {
  upstream = await startOpenaiUpstream();
  provider = createOpenaiProvider({ apiKey: 'sk-test', baseUrl: `${upstream.url}/v1` });
});
afterAll(async () => {
  await provider.close();
  await upstream.close();
});

const request: ProviderRequest = {
  model: 'openai:llama3.2',
  system: null,
  messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello?' }] }],
  maxTokens: 100,
};

async function answered(
  write: (answer: ChatRequest) => unknown,
  changes: Partial<ProviderRequest> = {},
): Promise<Chunk[]> {
  const reading = collect(provider, { ...request, ...changes });
  reading.catch(() => undefined); // the caller tells
  const answer = await upstream.nextRequest();
  write(answer);
  return reading;
}

const toolCall = (call: Record<string, unknown>) => ({ tool_calls: [call] });

test('asks for the usage, under the name that the server knows, with the key', async () => {
  await answered((answer) => answer.text('So').stop());
  const { body, headers } = upstream.requests.at(-1) ?? {};
  expect(body).toMatchObject({ model: 'llama3.2', stream: true, stream_options: { include_usage: true } });
  expect(headers?.authorization).toBe('Bearer sk-test');
});

describe('an answer of OpenAI', () => {
  test('that refuses is a refusal, with what it says', async () => {
    const chunks = await answered((answer) =>
      answer.delta({ refusal: 'I ' }).delta({ refusal: 'cannot.' }).stop(),
    );
    expect(contentOf(chunks)).toEqual([{ type: 'text', text: 'I cannot.' }]);
    expect(chunks.at(-2)).toMatchObject({ delta: { stop_reason: 'refusal' } });
  });

  test('counts what its cache read and wrote apart from the input', async () => {
    const usage = {
      prompt_tokens: 100,
      completion_tokens: 7,
      total_tokens: 107,
      prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 30 },
    };
    const chunks = await answered((answer) => {
      const choices = [{ index: 0, delta: { content: 'So' }, finish_reason: 'stop' }];
      answer.chunk({ choices }).chunk({ choices: [], usage }).end();
    });
    expect(chunks.at(-2)).toMatchObject({
      usage: {
        input_tokens: 10,
        output_tokens: 7,
        cache_read_input_tokens: 60,
        cache_creation_input_tokens: 30,
      },
    });
  });

  test('that fails in mid-stream fails as its code says', async () => {
    const error = { message: 'Slow down', type: 'requests', code: 'rate_limit_exceeded' };
    const failing = answered((answer) => answer.text('Half').data({ error }).end());
    await expect(failing).rejects.toMatchObject({
      code: 'provider_rate_limited',
      statusCode: null,
      retryable: true,
    });
  });

  test('without funds is not asked for again', async () => {
    const error = {
      message: 'You exceeded your current quota',
      type: 'insufficient_quota',
      code: 'insufficient_quota',
    };
    const failing = answered((answer) => answer.fail(429, { error }));
    await expect(failing).rejects.toMatchObject({
      code: 'provider_error',
      statusCode: 429,
      retryable: false,
    });
  });
});

describe('an answer of other servers', () => {
  test('may tell no usage', async () => {
    const chunks = await answered((answer) => answer.text('So').stop({ outputTokens: null }));
    expect(chunks.slice(-2)).toMatchObject([{ type: 'message_delta', usage: {} }, { type: 'message_stop' }]);
  });

  test('may tell no usage and leave the connection open', async () => {
    const finish = { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] };
    let closed: Promise<number> | undefined;
    const chunks = await answered((answer) => {
      closed = answer.text('So').chunk(finish).raw('data: [DONE]\n\n').closed;
    });
    expect(chunks.at(-1)?.type).toBe('message_stop');
    await closed;
  });

  test('may name the stop sequence', async () => {
    const chunks = await answered((answer) => answer.text('So').stop({ choice: { stop_reason: 'END' } }));
    expect(chunks.at(-2)).toMatchObject({ delta: { stop_reason: 'stop_sequence', stop_sequence: 'END' } });
  });

  test.each(['reasoning_content', 'reasoning'])('may think in `%s`', async (field) => {
    const write = (answer: ChatRequest) =>
      answer
        .delta({ [field]: 'Hm' })
        .text('So')
        .stop();
    expect(contentOf(await answered(write))[0]).toMatchObject({ type: 'thinking', thinking: 'Hm' });
    const thinking = { type: 'adaptive' as const, display: 'omitted' as const };
    expect(contentOf(await answered(write, { thinking }))).toEqual([{ type: 'text', text: 'So' }]);
  });

  test('may give each call the index 0, and end them like a text', async () => {
    const call = (id: string, json: string) =>
      toolCall({ index: 0, id, type: 'function', function: { name: 'add', arguments: json } });
    const chunks = await answered((answer) =>
      answer.delta(call('one', '{"a":1}')).delta(call('two', '{}')).stop(),
    );
    expect(contentOf(chunks)).toMatchObject([
      { id: 'one', input: { a: 1 } },
      { id: 'two', input: {} },
    ]);
    expect(chunks.at(-2)).toMatchObject({ delta: { stop_reason: 'tool_use' } });
  });

  test('may give a call no id', async () => {
    const call = toolCall({ index: 0, function: { name: 'add', arguments: '{}' } });
    const [block] = contentOf(await answered((answer) => answer.delta(call).stop()));
    expect(block).toMatchObject({ type: 'tool_use', id: expect.stringMatching(/^call_\w{32}$/) as string });
  });

  test('with a call that has no name makes no sense', async () => {
    const call = toolCall({ index: 0, id: 'one', function: { arguments: '{}' } });
    await expect(answered((answer) => answer.delta(call).stop())).rejects.toMatchObject({
      code: 'provider_error',
    });
  });
});
