import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GenerationOptions } from '../../src/client/index.js';
import type { SocketClient } from '../support/clients.js';
import type { Person } from '../support/person.js';
import { openScene, type Asked, type Scene } from '../support/scene.js';
import type { UpstreamRequest } from '../support/upstream.js';

/** Answers in JSON, from the schema of the request to the value that is valid. */

let scene: Scene;
let ada: Person;

beforeAll(async () => {
  scene = await openScene({ workers: 1 });
  ({ ada } = scene);
});

afterAll(() => scene.close());

const outputSchema = {
  type: 'object',
  properties: { name: { type: 'string' }, tags: { type: 'array', items: { type: 'string', minLength: 2 } } },
  required: ['name', 'tags'],
};

interface Watched extends Asked {
  watcher: SocketClient;
  nextModel: () => Promise<UpstreamRequest>;
}

const askWatched = async (options: GenerationOptions): Promise<Watched> => {
  const conversationId = await ada.converse();
  const watcher = ada.socket(conversationId);
  await watcher.connect();
  const asked = await scene.ask({ conversationId, options });
  return { ...asked, watcher, nextModel: () => scene.modelFor(asked.prompt.text) };
};

const objectsOf = (watcher: SocketClient) => watcher.of('generation.object');
const completeOf = (watcher: SocketClient) => objectsOf(watcher).filter(({ complete }) => complete);
const whole = '{"name": "Ada", "tags": ["first", "of \\"all\\""]}';

describe('an answer that has a schema', () => {
  test('is asked for in the way of the provider, shown as it grows, and whole and valid at its end', async () => {
    const { model, generation, watcher } = await askWatched({ outputSchema });
    expect(model.body).toMatchObject({ output_config: { format: { type: 'json_schema' } } });
    model.text('{"name": "A');
    await watcher.waitFor('generation.object', ({ value }) => JSON.stringify(value) === '{"name":"A"}');
    model.text('da", "tags": ["first", "of \\');
    await watcher.waitFor('generation.object', ({ value }) => JSON.stringify(value).includes('"of'));
    model.text('"all\\""]}').stop();
    const { message, generation: head } = await watcher.ended(generation.id);
    expect(head).toMatchObject({ status: 'completed', stopReason: 'end_turn', error: null });
    expect(message?.text).toBe(whole);
    const last = objectsOf(watcher).at(-1);
    expect(last).toMatchObject({ index: 0, complete: true, value: JSON.parse(whole) as unknown });
    expect(completeOf(watcher)).toHaveLength(1);
    expect(last?.cursor).toBeDefined();
    const types = watcher.events.map(({ type }) => type);
    expect(types.lastIndexOf('generation.object')).toBeLessThan(types.indexOf('generation.completed'));
  });

  test('is written a second time where it does not match, and the model is told why', async () => {
    const { model, generation, watcher, nextModel } = await askWatched({ outputSchema });
    model.start({ inputTokens: 10 }).text('{"name": "Ada", "tags": ["x"]}').stop({ outputTokens: 5 });
    const second = await nextModel();
    expect(second.body.messages.at(-2)).toEqual({
      role: 'assistant',
      content: [{ type: 'text', text: '{"name": "Ada", "tags": ["x"]}' }],
    });
    expect(JSON.stringify(second.body.messages.at(-1))).toContain(
      '/tags/0 must NOT have fewer than 2 characters',
    );
    expect(second.body).toMatchObject({ output_config: { format: { type: 'json_schema' } } });
    second.start({ inputTokens: 20 }).text(whole).stop({ outputTokens: 7 });
    const { message, generation: head } = await watcher.ended(generation.id);
    expect(head).toMatchObject({ status: 'completed', usage: { inputTokens: 30, outputTokens: 12 } });
    expect(message?.text).toBe(whole);
    expect(watcher.written(generation.id)).toBe(whole);
    expect(watcher.of('generation.warning').map(({ code }) => code)).toEqual(['repairing']);
    expect(watcher.of('generation.reset')).toHaveLength(1);
    expect(completeOf(watcher)).toMatchObject([{ index: 0, value: JSON.parse(whole) as unknown }]);
    const chunks = watcher.of('generation.chunk').map(({ chunk }) => chunk.type);
    expect(chunks.filter((type) => type === 'message_start')).toHaveLength(2); // once more behind the reset
    expect(chunks.filter((type) => type === 'message_stop')).toHaveLength(1);
    const late = ada.socket(generation.conversationId ?? '');
    await late.connect();
    expect(late.state?.messages.at(-1)?.text).toBe(whole);
  });

  test('fails where the second try does not match either, and keeps that', async () => {
    const { model, generation, watcher, nextModel } = await askWatched({ outputSchema });
    model.text('I think it is Ada.').stop();
    const second = await nextModel();
    expect(JSON.stringify(second.body.messages.at(-1))).toContain('not JSON');
    second.text('{"name": "Ada"}').stop();
    const { message, generation: head } = await watcher.ended(generation.id);
    expect(head).toMatchObject({
      status: 'failed',
      stopReason: 'end_turn',
      error: { code: 'schema_mismatch' },
    });
    expect(head.error?.message).toContain("must have required property 'tags'");
    expect(message).toMatchObject({ text: '{"name": "Ada"}', status: 'partial' });
    expect(completeOf(watcher)).toEqual([]);
  });

  test('is not tried again where it was cut off, but can be gone on from', async () => {
    const { model, generation, watcher, nextModel } = await askWatched({ outputSchema });
    model.text('{"name": "Ada", "ta').stop({ stopReason: 'max_tokens' });
    const { generation: head } = await watcher.ended(generation.id);
    expect(head).toMatchObject({
      status: 'failed',
      stopReason: 'max_tokens',
      error: { code: 'schema_mismatch' },
    });
    const { generation: next } = await ada.http.continueGeneration(generation.id);
    (await nextModel()).text('gs": []}').stop();
    expect((await watcher.ended(next.id)).generation.status).toBe('completed');
    expect(completeOf(watcher)).toMatchObject([{ generationId: next.id, value: { name: 'Ada', tags: [] } }]);
  });

  test('that broke off is gone on from, in the second try too', async () => {
    const { model, generation, watcher, nextModel } = await askWatched({ outputSchema });
    model.text('no').stop();
    const second = await nextModel();
    second.text('{"name": "Ada",');
    await watcher.until(() => watcher.written(generation.id) === '{"name": "Ada",');
    second.cut();
    const third = await nextModel();
    expect(third.body.messages.slice(-3)).toMatchObject([
      { role: 'assistant', content: [{ text: 'no' }] },
      { role: 'user' },
      { role: 'assistant', content: [{ text: '{"name": "Ada",' }] },
    ]);
    third.text(' "tags": []}').stop();
    expect((await watcher.ended(generation.id)).message?.text).toBe('{"name": "Ada", "tags": []}');
    expect(completeOf(watcher)).toHaveLength(1);
  });

  test('may follow from tools, whose results a second try keeps', async () => {
    const { model, generation, watcher, nextModel } = await askWatched({
      outputSchema,
      tools: ['calculator'],
    });
    model
      .text('Let me see.')
      .call('c1', 'calculator', '{"expression":"1+1"}')
      .stop({ stopReason: 'tool_use' });
    (await nextModel()).text('two').stop();
    const third = await nextModel();
    expect(third.body.messages.slice(1).map(({ role }) => role)).toEqual([
      'assistant',
      'user',
      'assistant',
      'user',
    ]);
    third.text('{"name":"two","tags":[]}').stop();
    const { message } = await watcher.ended(generation.id);
    expect(message?.content.map(({ type }) => type)).toEqual(['text', 'tool_use', 'tool_result', 'text']);
    expect(message?.text).toBe('Let me see.{"name":"two","tags":[]}');
    expect(completeOf(watcher)).toMatchObject([{ index: 0, value: { name: 'two', tags: [] } }]);
  });

  test('is not looked for in calls of the client’s tools, nor in a refusal', async () => {
    const tools = [{ name: 'open_door', description: '', inputSchema: {} }];
    const calling = await askWatched({ outputSchema, tools });
    calling.model.text('One moment.').call('d1', 'open_door', '{}').stop({ stopReason: 'tool_use' });
    expect((await calling.watcher.ended(calling.generation.id)).generation).toMatchObject({
      status: 'completed',
      stopReason: 'tool_use',
    });
    const refusing = await askWatched({ outputSchema });
    refusing.model.text('I will not').stop({ stopReason: 'refusal' });
    expect((await refusing.watcher.ended(refusing.generation.id)).generation).toMatchObject({
      error: { code: 'provider_refused' },
    });
  });
});

describe('an answer that is to be JSON', () => {
  test('is told value by value, each when it is whole', async () => {
    const { model, generation, watcher } = await askWatched({ output: 'json' });
    expect(JSON.stringify(model.body.system)).toContain('JSON alone');
    model.text('{"a": 1}\n{"b"');
    await watcher.waitFor('generation.object', ({ complete }) => complete);
    model.text(': [2, 3]}\n"end"').stop();
    const { generation: head } = await watcher.ended(generation.id);
    expect(head.status).toBe('completed');
    expect(completeOf(watcher).map(({ index, value }) => [index, value])).toEqual([
      [0, { a: 1 }],
      [1, { b: [2, 3] }],
      [2, 'end'],
    ]);
  });

  test('is written again where it is talk', async () => {
    const { model, generation, watcher, nextModel } = await askWatched({ output: 'json' });
    model.text('Sure: {"a": 1}').stop();
    (await nextModel()).text('{"a": 1}').stop();
    const { message } = await watcher.ended(generation.id);
    expect(message?.text).toBe('{"a": 1}');
    expect(completeOf(watcher)).toMatchObject([{ index: 0, value: { a: 1 } }]);
  });
});

describe('a schema that cannot be used is refused', () => {
  test.each<[string, object, string]>([
    ['of a type that there is not', { type: 'objekt' }, 'data/type'],
    ['with a reference to nothing', { $ref: '#/$defs/x' }, 'reference'],
    ['with a reference to elsewhere', { $ref: 'https://example.com/schema.json' }, 'reference'],
    ['with a pattern that is none', { pattern: '(' }, 'Invalid regular expression'],
    ['that is too large', { description: 'x'.repeat(33_000) }, '32 KB'],
  ])('%s', async (_, schema, problem) => {
    const conversationId = await ada.converse();
    const path = `/v1/conversations/${conversationId}/messages`;
    const refused = {
      status: 400,
      body: { code: 'invalid_request', detail: expect.stringContaining(problem) as string },
    };
    const generate = { outputSchema: schema };
    expect(await ada.call('POST', path, { content: 'Hi', generate })).toMatchObject(refused);
    expect((await ada.http.listMessages(conversationId)).items).toEqual([]);
    const { message } = await ada.http.sendMessage(conversationId, { content: 'Hi', generate: false });
    expect(await ada.call('POST', `/v1/messages/${message.id}/regenerate`, generate)).toMatchObject(refused);
    expect(
      await ada.call('PATCH', `/v1/messages/${message.id}`, { content: 'Ho', regenerate: generate }),
    ).toMatchObject(refused);
  });
});
