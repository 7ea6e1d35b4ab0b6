import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDemoServer, type DemoServer } from '../../../src/providers/demo-server.js';

let server: DemoServer;
let client: Anthropic;
beforeAll(async () => {
  server = await startDemoServer({ tokensPerSecond: 200 });
  client = new Anthropic({ apiKey: 'any', baseURL: server.url, maxRetries: 0 });
});
afterAll(() => server.close());

type Params = Anthropic.MessageCreateParamsNonStreaming;

const params = (question: string, changes: Partial<Params> = {}): Params => ({
  model: 'demo-fast',
  max_tokens: 4096,
  messages: [{ role: 'user', content: question }],
  ...changes,
});

const ask = (question: string, changes?: Partial<Params>) =>
  client.messages.create(params(question, changes));

const textOf = ({ content }: Anthropic.Message) =>
  content.map((block) => (block.type === 'text' ? block.text : '')).join('');

const wordsOf = (text: string) => text.split(/\s+/).length;

const weather = {
  name: 'get_weather',
  input_schema: {
    type: 'object' as const,
    properties: { city: { type: 'string' }, unit: { enum: ['celsius', 'fahrenheit'] } },
    required: ['city'],
  },
};

describe('the demo model', () => {
  test('answers the same to the same question', async () => {
    expect(await ask('What is a stream?')).toEqual(await ask('What is a stream?'));
  });

  test('has several answers, each in Markdown, of a pleasant length, and honest', async () => {
    const questions = Array.from({ length: 30 }, (_, number) => `Question number ${number}?`);
    const answers = await Promise.all(questions.map(async (question) => textOf(await ask(question))));
    expect(new Set(answers.map((answer) => answer.split('\n\n')[2])).size).toBeGreaterThan(3);
    for (const [index, answer] of answers.entries()) {
      expect(answer).toContain(`> Question number ${index}?`);
      expect(answer).toMatch(/^(-|1\.) /m);
      expect(answer).toMatch(/^```\w+$/m);
      expect(answer).toContain('demo model');
      expect(answer).toContain('ANTHROPIC_API_KEY');
      expect(wordsOf(answer)).toBeGreaterThan(80);
      expect(wordsOf(answer)).toBeLessThan(250);
    }
  });

  test('says who asked', async () => {
    const text = textOf(await ask('Ada Lovelace: What is a loop?'));
    expect(text).toMatch(/Ada Lovelace asks:\n\n> What is a loop\?/);
  });

  test('writes as many words as it is asked for', async () => {
    const words = wordsOf(textOf(await ask('Write 1000 words about rivers')));
    expect(words).toBeGreaterThan(900);
    expect(words).toBeLessThan(1100);
    expect(wordsOf(textOf(await ask('Give me a long answer')))).toBeGreaterThan(500);
  });

  test('stops at max_tokens', async () => {
    const message = await ask('What is a stream?', { max_tokens: 10 });
    expect(message).toMatchObject({ stop_reason: 'max_tokens', usage: { output_tokens: 10 } });
    const full = textOf(await ask('What is a stream?'));
    expect(full.startsWith(textOf(message))).toBe(true);
    expect(textOf(message)).toHaveLength(40);
  });

  test('stops before a stop sequence', async () => {
    const message = await ask('What is a stream?', { stop_sequences: ['nowhere in there', 'demo model'] });
    expect(message).toMatchObject({ stop_reason: 'stop_sequence', stop_sequence: 'demo model' });
    expect(textOf(message)).not.toContain('demo model');
  });

  test('goes on from each place of its own answer', async () => {
    const question = { role: 'user' as const, content: 'Tell me ☕ about 🫖 tea' };
    const full = textOf(await ask('', { messages: [question] }));
    for (const length of [1, 5, 63, 64, 65, 200, full.length - 1, full.length]) {
      const prefill = { role: 'assistant' as const, content: full.slice(0, length).trimEnd() };
      const rest = textOf(await ask('', { messages: [question, prefill] }));
      expect(prefill.content + rest).toBe(full);
    }
  });

  test('goes on from a prefill that it has not written', async () => {
    const messages = [
      { role: 'user' as const, content: 'Hello?' },
      { role: 'assistant' as const, content: 'Once upon a time' },
    ];
    expect(textOf(await ask('', { messages }))).toMatch(/^ \S/);
  });

  test('thinks when it is told to, and signs it', async () => {
    const message = await ask('What is a stream?', { thinking: { type: 'adaptive' } });
    expect(message.content.map(({ type }) => type)).toEqual(['thinking', 'text']);
    expect(message.content[0]).toMatchObject({ signature: expect.stringMatching(/./) as string });
    expect(textOf(message)).toBe(textOf(await ask('What is a stream?')));
  });

  test('keeps its thoughts to itself when they are to be omitted', async () => {
    const message = await ask('Hm?', {
      thinking: { type: 'enabled', budget_tokens: 1024, display: 'omitted' },
    });
    expect(message.content[0]).toMatchObject({
      type: 'thinking',
      thinking: '',
      signature: expect.stringMatching(/./) as string,
    });
  });

  test('calls a tool that the question speaks of, and uses its result', async () => {
    const question = params('What is the weather in New York?', { tools: [weather] });
    const message = await client.messages.create(question);
    const call = message.content.at(-1);
    expect(message.stop_reason).toBe('tool_use');
    expect(call).toMatchObject({
      type: 'tool_use',
      name: 'get_weather',
      input: { city: 'New York', unit: 'celsius' },
    });

    const id = call?.type === 'tool_use' ? call.id : '';
    const result = { type: 'tool_result' as const, tool_use_id: id, content: '21 °C and sunny' };
    const final = await client.messages.create({
      ...question,
      messages: [
        ...question.messages,
        { role: 'assistant', content: message.content },
        { role: 'user', content: [result] },
      ],
    });
    expect(final.stop_reason).toBe('end_turn');
    expect(textOf(final)).toContain('`get_weather` answered:\n\n> 21 °C and sunny');
  });

  test('calls no tool that it was not asked for', async () => {
    const message = await ask('How are you?', { tools: [weather] });
    expect(message.stop_reason).toBe('end_turn');
  });

  test('calls a tool that it is made to call', async () => {
    const choice = { tools: [weather], tool_choice: { type: 'tool' as const, name: 'get_weather' } };
    expect((await ask('How are you?', choice)).stop_reason).toBe('tool_use');
  });

  test('answers as JSON when it is asked to', async () => {
    const json: unknown = JSON.parse(textOf(await ask('What is a river? Answer as JSON.')));
    expect(json).toMatchObject({ question: 'What is a river? Answer as JSON.' });
  });

  test('answers by a JSON Schema', async () => {
    const schema = {
      type: 'object',
      properties: { title: { type: 'string' }, stars: { type: 'integer', minimum: 1, maximum: 5 } },
    };
    const format = { type: 'json_schema' as const, schema };
    const json: unknown = JSON.parse(textOf(await ask('Rate it', { output_config: { format } })));
    expect(json).toEqual({ title: 'A sample of title', stars: 1 });
  });
});

describe('the stream of the demo model', () => {
  test('is what the SDK makes the whole message of', async () => {
    const options = { tools: [weather], thinking: { type: 'adaptive' as const } };
    const streamed = await client.messages.stream(params('The weather in Rome?', options)).finalMessage();
    const whole = await ask('The weather in Rome?', options);
    expect(streamed.content).toEqual(whole.content);
    expect(streamed.stop_reason).toBe(whole.stop_reason);
    expect(streamed.usage.output_tokens).toBe(whole.usage.output_tokens);
  });

  test('has one token of about four characters in a delta, and cuts no character', async () => {
    const question = 'Tell me about 🫖🫖🫖 x🫖x 👩‍👩‍👧 please';
    const deltas: string[] = [];
    for await (const event of await client.messages.create({ ...params(question), stream: true })) {
      if (event.type === 'content_block_delta' && event.delta.type === 'text_delta')
        deltas.push(event.delta.text);
    }
    expect(deltas.every((delta) => delta.isWellFormed() && delta.length <= 5)).toBe(true);
    expect(deltas.join('')).toBe(textOf(await ask(question)));
  });

  test('has pings, and ends with message_stop', async () => {
    const body = JSON.stringify({ ...params('Hello?'), stream: true });
    const response = await fetch(`${server.url}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': 'any' },
      body,
    });
    const events = [...(await response.text()).matchAll(/^event: (\w+)$/gm)].map(([, type]) => type);
    expect(events.slice(0, 3)).toEqual(['message_start', 'content_block_start', 'ping']);
    expect(events.slice(-3)).toEqual(['content_block_stop', 'message_delta', 'message_stop']);
  });

  test('comes at the speed that was set', async () => {
    const startedAtMs = performance.now();
    const stream = await client.messages.create({
      ...params('Hi', { model: 'demo', max_tokens: 60 }),
      stream: true,
    });
    for await (const event of stream) if (event.type === 'message_stop') break;
    expect(performance.now() - startedAtMs).toBeGreaterThan(290);
    expect(performance.now() - startedAtMs).toBeLessThan(3000);
  });

  test('is fast for a prompt of a million characters', async () => {
    const startedAtMs = performance.now();
    const message = await ask('word '.repeat(200_000));
    expect(message.usage.input_tokens).toBeGreaterThan(240_000);
    expect(performance.now() - startedAtMs).toBeLessThan(3000);
  });
});

describe('the demo server refuses as the API does', () => {
  const post = (body: unknown, headers: Record<string, string> = { 'x-api-key': 'any' }) =>
    fetch(`${server.url}/v1/messages`, {
      method: 'POST',
      headers,
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });

  test.each([
    ['no JSON', '{', 'invalid_request_error', 400],
    ['no messages', { ...params('x'), messages: [] }, 'invalid_request_error', 400],
    ['no max_tokens', { ...params('x'), max_tokens: undefined }, 'invalid_request_error', 400],
    ['blank text', params(' '), 'invalid_request_error', 400],
    ['a model that is none of its own', params('x', { model: 'claude-x' }), 'not_found_error', 404],
    ['a body of more than 32 MB', 'x'.repeat(33 * 1024 * 1024), 'request_too_large', 413],
  ])('%s', async (_, body, type, status) => {
    const response = await post(body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ type: 'error', error: { type } });
  });

  test('a call without a key', async () => {
    expect((await post(params('x'), {})).status).toBe(401);
  });

  test('another address', async () => {
    expect((await fetch(`${server.url}/v1/nothing`)).status).toBe(404);
  });

  test('telling which field is wrong', async () => {
    const body = (await (await post(params(' '))).json()) as { error: { message: string } };
    expect(body.error.message).toBe(
      'messages.0.content.0.text: text content blocks must contain non-whitespace text',
    );
  });
});
