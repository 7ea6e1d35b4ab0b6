import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Chunk } from '../../../src/domain/content.js';
import { createMistralProvider } from '../../../src/providers/mistral.js';
import type { Provider, ProviderRequest } from '../../../src/providers/provider.js';
import { startMistralUpstream, type MistralRequest } from '../../support/mistral-upstream.js';
import { collect, contentOf, textOf } from '../../support/upstream-chunks.js';
import type { ScriptedServer } from '../../support/upstream-server.js';

let upstream: ScriptedServer<MistralRequest>;
let provider: Provider;
beforeAll(async () => {
  upstream = await startMistralUpstream();
  provider = createMistralProvider({ apiKey: 'sk-test', baseUrl: upstream.url });
});
afterAll(async () => {
  await provider.close();
  await upstream.close();
});

const request: ProviderRequest = {
  model: 'mistral-small-latest',
  system: null,
  messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello?' }] }],
  maxTokens: 100,
};

async function answered(write: (answer: MistralRequest) => unknown, prefill?: string): Promise<Chunk[]> {
  const written = { role: 'assistant' as const, content: [{ type: 'text' as const, text: prefill ?? '' }] };
  const messages = prefill === undefined ? request.messages : [...request.messages, written];
  const reading = collect(provider, { ...request, messages });
  reading.catch(() => undefined); // the caller tells
  const answer = await upstream.nextRequest();
  write(answer);
  return reading;
}

test('asks in the words of the wire format, with the key', async () => {
  await answered((answer) => answer.text('So').stop(), 'Well,');
  const { body, headers } = upstream.requests.at(-1) ?? {};
  expect(body).toMatchObject({
    model: 'mistral-small-latest',
    max_tokens: 100,
    stream: true,
    messages: [{ role: 'user' }, { role: 'assistant', content: 'Well,', prefix: true }],
  });
  expect(headers?.authorization).toBe('Bearer sk-test');
});

describe('the text behind a prefill', () => {
  test.each([
    ['comes alone', 'One,', ' two', ' two'],
    ['comes behind all of the prefill', 'One,', 'One, two', ' two'],
    ['comes behind a prefill whose white space was cut', 'One,\n', 'One,two', 'two'],
    ['begins like the prefill', 'One,', 'Only', 'Only'],
  ])('that %s is all that is told', async (_, prefill, written, told) => {
    const chunks = await answered((answer) => {
      for (const character of written) answer.text(character);
      answer.stop();
    }, prefill);
    expect(textOf(chunks)).toBe(told);
  });

  test('is nothing where the answer is the prefill alone', async () => {
    expect(contentOf(await answered((answer) => answer.text('One,').stop(), 'One,'))).toEqual([]);
  });
});

test('a call whose input is an object, without id and index, is a call all the same', async () => {
  const calls = [
    { function: { name: 'add', arguments: { a: 1 } } },
    { function: { name: 'now', arguments: '{}' } },
  ];
  const chunks = await answered((answer) =>
    answer.delta({ tool_calls: calls }).stop({ stopReason: 'tool_use' }),
  );
  expect(contentOf(chunks)).toMatchObject([
    { name: 'add', input: { a: 1 } },
    { name: 'now', input: {} },
  ]);
});

test('keeps the signature of a thought', async () => {
  const thought = { type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }], signature: 'signed' };
  const chunks = await answered((answer) =>
    answer
      .delta({ content: [thought] })
      .text('So')
      .stop(),
  );
  expect(contentOf(chunks)[0]).toEqual({ type: 'thinking', thinking: 'Hm', signature: 'mistral:signed' });
});

test('an answer that ends in an error is tried again', async () => {
  const failing = answered((answer) => answer.text('Half').stop({ stopReason: 'error' }));
  await expect(failing).rejects.toMatchObject({ code: 'provider_error', retryable: true, statusCode: null });
});

test('an answer that fills the context says so', async () => {
  const chunks = await answered((answer) => answer.text('So').stop({ stopReason: 'model_length' }));
  expect(chunks.at(-2)).toMatchObject({ delta: { stop_reason: 'model_context_window_exceeded' } });
});
