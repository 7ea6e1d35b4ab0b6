import { afterAll, describe, expect, test } from 'vitest';
import { createDemoProvider } from '../../../src/providers/demo.js';
import type { ProviderRequest } from '../../../src/providers/provider.js';
import { collect, contentOf, textOf } from '../../support/upstream-chunks.js';

const weatherTool = {
  name: 'get_weather',
  description: 'The weather of a city.',
  inputSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};

describe('the demo provider', () => {
  const provider = createDemoProvider({ tokensPerSecond: 100 });
  const { signal } = new AbortController();
  const ask = (text: string, changes: Partial<ProviderRequest> = {}): ProviderRequest => ({
    model: 'demo-fast',
    system: 'Be brief.',
    messages: [{ role: 'user', content: [{ type: 'text', text }] }],
    maxTokens: 4096,
    ...changes,
  });
  const story = ask('Tell me a story, please.');
  afterAll(() => provider.close());

  test('brings the chunks in the order of the Messages API, with its usage first and last', async () => {
    const chunks = await collect(provider, story, signal);
    expect(chunks.map(({ type }) => type).join(' ')).toMatch(
      /^message_start content_block_start( content_block_delta){11,} content_block_stop message_delta message_stop$/,
    );
    const [start] = chunks;
    const end = chunks.at(-2);
    expect(start?.type === 'message_start' && start.message.usage.input_tokens).toBeGreaterThan(0);
    expect(end?.type === 'message_delta' && end.usage.output_tokens).toBeGreaterThan(10);
    expect(end).toMatchObject({ delta: { stop_reason: 'end_turn' } });
  });

  test('says the same in one piece as in a stream', async () => {
    const request = ask('What is the weather in Oslo?', {
      thinking: { type: 'adaptive' },
      tools: [weatherTool],
    });
    const streamed = await collect(provider, request, signal);
    expect(contentOf(await provider.complete(request, { signal }))).toEqual(contentOf(streamed));
  });

  test('calls the tools of the request, and goes on from their results', async () => {
    const request = ask('What is the weather in Oslo?', { tools: [weatherTool] });
    const chunks = await collect(provider, request, signal);
    const content = contentOf(chunks);
    const called = content.find((block) => block.type === 'tool_use');
    expect(called).toMatchObject({ name: 'get_weather', input: { city: expect.any(String) as string } });
    expect(chunks.at(-2)).toMatchObject({ delta: { stop_reason: 'tool_use' } });

    const result = { type: 'tool_result' as const, tool_use_id: called?.id ?? '', content: '21 °C, sunny' };
    const messages = [...request.messages, { role: 'assistant' as const, content: [...content, result] }];
    const after = await collect(provider, { ...request, messages }, signal);
    expect(textOf(after)).toContain('21 °C, sunny');
    expect(after.at(-2)).toMatchObject({ delta: { stop_reason: 'end_turn' } });
  });

  test('answers as the schema of the request says', async () => {
    const outputSchema = {
      type: 'object',
      properties: { city: { type: 'string' }, degrees: { type: 'number' } },
      required: ['city', 'degrees'],
    };
    const answer: unknown = JSON.parse(
      textOf(await collect(provider, ask('Oslo?', { outputSchema }), signal)),
    );
    expect(answer).toEqual({ city: expect.any(String) as string, degrees: expect.any(Number) as number });
  });

  test('throws the reason of an abort, at once, in the middle of an answer', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    let abortedAtMs = 0;
    const reading = (async () => {
      for await (const chunk of provider.stream({ ...story, model: 'demo-slow' }, controller)) {
        if (chunk.type !== 'content_block_delta') continue;
        abortedAtMs = performance.now();
        controller.abort(reason);
      }
    })();
    await expect(reading).rejects.toBe(reason);
    expect(performance.now() - abortedAtMs).toBeLessThan(250);
    const { signal: aborted } = controller;
    await expect(provider.complete(story, { signal: aborted })).rejects.toBe(reason);
  });

  test.each([17, 40, 41, 42, 43, 100])(
    'goes on exactly where a prefill of %i characters ends',
    async (length) => {
      const full = textOf(await collect(provider, story, signal));
      const prefill = full.slice(0, length).toWellFormed().replace('\ufffd', '');
      const written = { role: 'assistant' as const, content: [{ type: 'text' as const, text: prefill }] };
      const rest = await collect(provider, { ...story, messages: [...story.messages, written] }, signal);
      expect(prefill + textOf(rest)).toBe(full);
    },
  );
});
