import { randomUUID } from 'node:crypto';
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callAsAdmin } from '../support/admin.js';
import { readMessageEvents, type MessageEvents } from '../support/message-events.js';
import { Person } from '../support/person.js';
import { openScene, type Scene } from '../support/scene.js';
import type { UpstreamRequest } from '../support/upstream.js';

/** The door of Anthropic's SDKs, with the SDK itself, and a model that does what the test says. */

let scene: Scene;
let ada: Person;
let client: Anthropic;

beforeAll(async () => {
  scene = await openScene();
  ({ ada } = scene);
  client = clientOf(ada);
});

afterAll(async () => {
  await scene.close();
});

const clientOf = (person: Pick<Person, 'token'>, options: ConstructorParameters<typeof Anthropic>[0] = {}) =>
  new Anthropic({
    baseURL: `${scene.system.api().url}/anthropic`,
    apiKey: person.token,
    authToken: null,
    maxRetries: 0,
    ...options,
  });

const model = 'claude-sonnet-5-5';

/** A request that the model can be found by. */
function question(more: Partial<Anthropic.MessageCreateParamsNonStreaming> & { temperature?: number } = {}) {
  const prompt = `a prompt, ${randomUUID()}`;
  const messages: Anthropic.MessageParam[] = [{ role: 'user', content: prompt }];
  return { prompt, params: { model, max_tokens: 1000, messages, ...more } };
}

const openDoor: Anthropic.Tool = {
  name: 'open_door',
  description: 'Opens a door.',
  input_schema: { type: 'object', properties: { door: { type: 'string' } } },
};

/** The error that a call of the SDK fails with. */
async function faultOf(call: Promise<unknown>): Promise<InstanceType<typeof Anthropic.APIError>> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Anthropic.APIError)) throw new Error(`no error of the API: ${String(error)}`);
  return error as InstanceType<typeof Anthropic.APIError>;
}

/** A streamed answer that has begun with a text. */
async function begun(text: string, person = ada) {
  const { prompt, params } = question();
  const stream = clientOf(person).messages.stream(params);
  const response = await stream.withResponse().then(({ response }) => response);
  const upstream = await scene.modelFor(prompt);
  const seen = new Promise<void>((resolve) => {
    stream.on('text', (_delta, sofar) => {
      if (sofar === text) resolve();
    });
  });
  upstream.text(text);
  await seen;
  return { stream, upstream, prompt, generationId: response.headers.get('x-generation-id') ?? '' };
}

const events = (
  generationId: string,
  from?: Pick<MessageEvents, 'text' | 'lastEventId'>,
  person = ada,
): Promise<MessageEvents> => readMessageEvents(scene.system.api(), person, generationId, from);

describe('a streamed answer', () => {
  test('comes as it is written, with the tokens that it really took, and is in a conversation like any other', async () => {
    const { prompt, params } = question({ system: [{ type: 'text', text: 'Be short.' }], temperature: 0.5 });
    const stream = client.messages.stream({ ...params, stop_sequences: ['END'], top_p: 0.9 });
    const { response, request_id } = await stream.withResponse();
    const upstream = await scene.modelFor(prompt);
    expect(upstream.body).toMatchObject({
      model,
      max_tokens: 1000,
      temperature: 0.5,
      top_p: 0.9,
      stop_sequences: ['END'],
      system: 'Be short.',
    });
    upstream
      .start({ inputTokens: 100, usage: { cache_read_input_tokens: 40 } })
      .text('It ')
      .text('works.');
    upstream.stop({ outputTokens: 7, stopReason: 'stop_sequence', stopSequence: 'END' });
    const message = await stream.finalMessage();
    const generationId = response.headers.get('x-generation-id') ?? '';
    expect(message).toMatchObject({
      id: `msg_${generationId}`,
      type: 'message',
      role: 'assistant',
      model,
      content: [{ type: 'text', text: 'It works.' }],
      stop_reason: 'stop_sequence',
      stop_sequence: 'END',
      usage: { input_tokens: 100, output_tokens: 7, cache_read_input_tokens: 40 },
    });
    expect(request_id).toBeTruthy();
    const conversationId = response.headers.get('x-conversation-id') ?? '';
    const { items } = await ada.http.listMessages(conversationId);
    expect(items.map(({ role, text }) => [role, text])).toEqual([
      ['user', prompt],
      ['assistant', 'It works.'],
    ]);
    expect(await ada.http.getGeneration(generationId)).toMatchObject({
      status: 'completed',
      usage: { inputTokens: 100, outputTokens: 7 },
    });
  });

  test('has thinking, whose signature comes back to the model with the next question', async () => {
    const { prompt, params } = question({
      max_tokens: 4000,
      thinking: { type: 'enabled', budget_tokens: 1024 },
    });
    const stream = client.messages.stream(params);
    const upstream = await scene.modelFor(prompt);
    expect(upstream.body.thinking).toEqual({ type: 'enabled', budget_tokens: 1024 });
    upstream.thinking('Six times').thinking(' seven.');
    upstream.delta({ type: 'signature_delta', signature: 'c2lnbmVk' }).text('42').stop();
    const { content } = await stream.finalMessage();
    expect(content).toMatchObject([
      { type: 'thinking', thinking: 'Six times seven.', signature: 'c2lnbmVk' },
      { type: 'text', text: '42' },
    ]);

    const next = `and then, ${randomUUID()}`;
    const again = client.messages.create({
      ...params,
      messages: [...params.messages, { role: 'assistant', content }, { role: 'user', content: next }],
    });
    const second = await scene.modelFor(next);
    expect(second.body.messages).toMatchObject([
      { role: 'user', content: [{ text: prompt }] },
      { role: 'assistant', content: [{ type: 'thinking', signature: 'c2lnbmVk' }, { text: '42' }] },
      { role: 'user', content: [{ text: next }] },
    ]);
    second.text('43').stop();
    expect((await again).content).toMatchObject([{ text: '43' }]);
  });

  test('that fails is an error of the stream, of the kind that it is', async () => {
    const { stream, upstream } = await begun('Well');
    upstream.error({ type: 'invalid_request_error', message: 'No more of this.' });
    const fault = await faultOf(stream.finalMessage());
    expect(fault.message).toMatch(/No more of this/);
    expect(fault.error).toMatchObject({ type: 'error', error: { type: 'api_error' } });
  });

  test('goes on when its client leaves, and ends when it is cancelled', async () => {
    const { stream, upstream, generationId } = await begun('On and on');
    stream.abort();
    await expect(stream.finalMessage()).rejects.toThrow(Anthropic.APIUserAbortError);
    expect(await ada.http.getGeneration(generationId)).toMatchObject({ status: 'running' });

    const watched = await events(generationId);
    await watched.says('On and on');
    await ada.call('POST', `/v1/generations/${generationId}/cancel`);
    await Promise.all([upstream.closed, watched.over]);
    expect(watched.error).toMatchObject({ type: 'conflict_error', message: 'The answer was cancelled.' });
    expect(watched.text).toBe('On and on');
  });
});

describe('a blocking answer', () => {
  test('is the whole message', async () => {
    const { prompt, params } = question();
    const asked = client.messages.create(params).withResponse();
    (await scene.modelFor(prompt)).start({ inputTokens: 20 }).text('Whole.').stop({ outputTokens: 3 });
    const { data, response, request_id } = await asked;
    expect(data).toMatchObject({
      id: `msg_${response.headers.get('x-generation-id') ?? ''}`,
      content: [{ type: 'text', text: 'Whole.' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: { input_tokens: 20, output_tokens: 3 },
    });
    expect(request_id).toBe(response.headers.get('request-id'));
  });

  test('that was cancelled is an error that no SDK tries again', async () => {
    const { prompt, params } = question();
    const asked = faultOf(clientOf(ada, { maxRetries: 2 }).messages.create(params));
    (await scene.modelFor(prompt)).text('Half');
    const { body } = await ada.call<{ items: { id: string }[] }>('GET', '/v1/conversations?limit=1');
    await ada.call('POST', `/v1/conversations/${body.items[0]?.id ?? ''}/cancel`);
    expect(await asked).toMatchObject({ status: 409, error: { error: { type: 'conflict_error' } } });
    expect(requestsFor(prompt)).toHaveLength(1);
  });

  test('that the provider refuses has the provider’s reason', async () => {
    const { prompt, params } = question();
    const asked = faultOf(client.messages.create(params));
    (await scene.modelFor(prompt)).fail(400);
    expect(await asked).toMatchObject({ status: 400, error: { error: { type: 'invalid_request_error' } } });
  });

  test('is asked once, however often it is asked with one Idempotency-Key', async () => {
    const { prompt, params } = question();
    const headers = { 'idempotency-key': randomUUID() };
    const first = client.messages.create(params, { headers });
    const model = await scene.modelFor(prompt);
    const second = client.messages.create(params, { headers }).withResponse();
    model.text('Once.').stop();
    expect((await second).data.id).toBe((await first).id);
    expect((await second).response.headers.get('idempotency-replayed')).toBe('true');
    const other = { ...params, max_tokens: 7 };
    expect(await faultOf(client.messages.create(other, { headers }))).toMatchObject({ status: 422 });
  });
});

const requestsFor = (prompt: string): UpstreamRequest[] =>
  scene.upstream.requests.filter(({ body }) => JSON.stringify(body.messages).includes(prompt));

describe('tools of the client', () => {
  test('are called, and the answer goes on from their results', async () => {
    const { prompt, params } = question({ tools: [openDoor], tool_choice: { type: 'auto' } });
    const stream = client.messages.stream(params);
    const first = await scene.modelFor(prompt);
    expect(first.body.tools).toMatchObject([{ name: 'open_door', input_schema: openDoor.input_schema }]);
    first.text('Let me see.').call('d1', 'open_door', '{"door":', ' "left"}').call('d2', 'open_door');
    first.stop({ stopReason: 'tool_use' });
    const { content, stop_reason } = await stream.finalMessage();
    expect(stop_reason).toBe('tool_use');
    expect(content).toMatchObject([
      { type: 'text', text: 'Let me see.' },
      { type: 'tool_use', id: 'd1', name: 'open_door', input: { door: 'left' } },
      { type: 'tool_use', id: 'd2', input: {} },
    ]);

    const results: Anthropic.ToolResultBlockParam[] = [
      { type: 'tool_result', tool_use_id: 'd1', content: [{ type: 'text', text: 'It is open.' }] },
      { type: 'tool_result', tool_use_id: 'd2', content: 'It is stuck.', is_error: true },
    ];
    const answered = client.messages.create({
      ...params,
      messages: [...params.messages, { role: 'assistant', content }, { role: 'user', content: results }],
    });
    const second = await scene.modelFor(prompt);
    expect(second.body.messages.slice(1)).toMatchObject([
      { role: 'assistant', content: [{ type: 'text' }, { id: 'd1', input: { door: 'left' } }, { id: 'd2' }] },
      { role: 'user', content: [{ tool_use_id: 'd1' }, { tool_use_id: 'd2', is_error: true }] },
    ]);
    second.text('The left one is open.').stop();
    expect((await answered).content).toMatchObject([{ text: 'The left one is open.' }]);
  });
});

describe('a named conversation', () => {
  test('is asked in, seen by all of it, and its own history counts', async () => {
    const conversationId = await ada.converse();
    const headers = { 'x-conversation-id': conversationId };
    const first = question();
    const asked = client.messages.create(first.params, { headers });
    (await scene.modelFor(first.prompt)).text('First.').stop();
    const { content } = await asked;
    const stored = await ada.http.listMessages(conversationId);
    expect(stored.items.map(({ text }) => text)).toEqual([first.prompt, 'First.']);

    const next = question();
    const messages: Anthropic.MessageParam[] = [
      ...first.params.messages,
      { role: 'assistant', content },
      ...next.params.messages,
    ];
    for (const given of [messages, next.params.messages]) {
      const answer = client.messages.create({ ...next.params, messages: given }, { headers });
      const upstream = await scene.modelFor(next.prompt);
      expect(JSON.stringify(upstream.body.messages)).toContain('First.');
      upstream.text('Second.').stop();
      expect((await answer).content).toMatchObject([{ text: 'Second.' }]);
    }

    const forged = [...first.params.messages, { role: 'assistant' as const, content: 'Forged.' }];
    const fault = await faultOf(
      client.messages.create({ ...next.params, messages: [...forged, ...next.params.messages] }, { headers }),
    );
    expect(fault).toMatchObject({ status: 400 });
    expect(fault.message).toMatch(/messages\.1: is not in the conversation/);
  });

  test('is not there for who is no member, nor for what is no id', async () => {
    const noor = await Person.signIn(scene.system.api(), 'Noor');
    const { params } = question();
    for (const id of [await ada.converse(), randomUUID(), 'none']) {
      const fault = await faultOf(
        clientOf(noor).messages.create(params, { headers: { 'x-conversation-id': id } }),
      );
      expect(fault).toMatchObject({ status: 404, error: { error: { type: 'not_found_error' } } });
    }
  });
});

describe('reading again', () => {
  test('goes on behind the last event, and gives the exact text', async () => {
    const { stream, upstream, generationId } = await begun('One, ');
    const cut = await events(generationId);
    await cut.says('One, ');
    upstream.text('two, ');
    await cut.says('One, two, ');
    cut.close();
    upstream.text('three, ').text('four.');
    const resumed = await events(generationId, cut);
    await resumed.says('One, two, three, four.');
    upstream.stop({ outputTokens: 9 });
    await resumed.over;
    expect(resumed.text).toBe('One, two, three, four.');
    expect(resumed.types[0]).toBe('content_block_delta');
    expect(resumed.types.slice(-3)).toEqual(['content_block_stop', 'message_delta', 'message_stop']);
    expect((await stream.finalMessage()).content).toMatchObject([{ text: 'One, two, three, four.' }]);

    const whole = await events(generationId);
    await whole.over;
    expect(whole.text).toBe('One, two, three, four.');
    expect(whole.types[0]).toBe('message_start');
    expect((await events(generationId, whole)).status).toBe(204);
  });

  test('works through another api, after the first has gone', async () => {
    const leaving = await scene.system.add('api');
    const { prompt, params } = question();
    const stream = clientOf(ada, { baseURL: `${leaving.url}/anthropic` }).messages.stream(params);
    const ended = stream.finalMessage().catch((error: unknown) => error);
    const { response } = await stream.withResponse();
    const upstream = (await scene.modelFor(prompt)).text('Before, ');
    const generationId = response.headers.get('x-generation-id') ?? '';
    const watched = await readMessageEvents(leaving, ada, generationId);
    await watched.says('Before, ');
    leaving.kill('SIGTERM');
    expect(await ended).toBeInstanceOf(Error);
    await watched.over;
    const resumed = await events(generationId, watched);
    upstream.text('after.').stop();
    await resumed.over;
    expect(resumed.text).toBe('Before, after.');
    await leaving.exited();
  });

  test('is for members alone, and with a cursor that is one', async () => {
    const { upstream, generationId } = await begun('Mine');
    const noor = await Person.signIn(scene.system.api(), 'Noor');
    expect((await events(generationId, undefined, noor)).status).toBe(404);
    expect((await events(generationId, { text: '', lastEventId: 'no cursor' })).status).toBe(400);
    expect((await events('none')).status).toBe(404);
    upstream.stop();
  });
});

describe('errors', () => {
  test('of a budget that is spent say so', async () => {
    const poor = await Person.signIn(scene.system.api(), 'Poor');
    await callAsAdmin(scene.system.api(), 'PUT', `/admin/budgets/users/${poor.user.id}`, {
      body: { limitUsd: 0 },
    });
    expect(await faultOf(clientOf(poor).messages.create(question().params))).toMatchObject({
      status: 402,
      error: { type: 'error', error: { type: 'billing_error' } },
    });
  });

  test('of the provider are retried by the SDK', async () => {
    const { prompt, params } = question();
    const asked = clientOf(ada, { maxRetries: 1 }).messages.create(params);
    // The worker's own tries come first.
    for (let tries = 0; tries < 3; tries += 1)
      (await scene.modelFor(prompt)).fail(529, undefined, { 'retry-after': '0' });
    (await scene.modelFor(prompt)).text('At last.').stop();
    expect((await asked).content).toMatchObject([{ text: 'At last.' }]);
  });

  test('of who is not known are told so, and a bearer token is as good as a key', async () => {
    const { prompt, params } = question();
    expect(await faultOf(clientOf({ token: 'none' }).messages.create(params))).toMatchObject({
      status: 401,
      error: { error: { type: 'authentication_error' } },
    });
    const asked = clientOf(ada, { apiKey: null, authToken: ada.token }).messages.create(params);
    (await scene.modelFor(prompt)).text('Welcome.').stop();
    expect((await asked).content).toMatchObject([{ text: 'Welcome.' }]);
  });

  test('of a body that is too large, and of a place that is none', async () => {
    const large = question({ system: 'x'.repeat(1_100_000) });
    expect(await faultOf(client.messages.create(large.params))).toMatchObject({
      status: 413,
      error: { type: 'error', error: { type: 'request_too_large' } },
    });
    const nowhere = await fetch(`${scene.system.api().url}/anthropic/v1/complete`, {
      headers: { 'x-api-key': ada.token },
    });
    expect([nowhere.status, await nowhere.json()]).toMatchObject([
      404,
      { type: 'error', error: { type: 'not_found_error' }, request_id: expect.any(String) as string },
    ]);
  });

  test.for([
    ['max_tokens', { max_tokens: undefined }],
    ['max_tokens', { max_tokens: 1_000_000, stream: true }],
    ['messages', { messages: [] }],
    ['messages', { messages: [{ role: 'assistant', content: 'I say' }] }],
    ['messages.0.content.0.type', { messages: [{ role: 'user', content: [{ type: 'image', source: {} }] }] }],
    [
      'messages.0.content.0.type',
      { messages: [{ role: 'user', content: [{ type: 'document', source: {} }] }] },
    ],
    ['messages.0.role', { messages: [{ role: 'system', content: 'x' }] }],
    ['tools.0.type', { tools: [{ type: 'web_search_20250305', name: 'web_search' }] }],
    ['tools.0.strict', { tools: [{ ...openDoor, strict: true }] }],
    ['tool_choice.type', { tools: [openDoor], tool_choice: { type: 'any' } }],
    [
      'tool_choice.disable_parallel_tool_use',
      { tool_choice: { type: 'auto', disable_parallel_tool_use: true } },
    ],
    ['thinking.budget_tokens', { thinking: { type: 'enabled', budget_tokens: 1000 } }],
    ['thinking.budget_tokens', { thinking: { type: 'enabled', budget_tokens: 2000 } }],
    ['stop_sequences.0', { stop_sequences: [''] }],
    ['top_k', { top_k: 3 }],
    ['mcp_servers', { mcp_servers: [] }],
    ['container', { container: 'c' }],
    ['service_tier', { service_tier: 'standard_only' }],
    ['output_config.effort', { output_config: { effort: 'low' } }],
  ] as const)('name %s where it cannot be taken', async ([field, fault]) => {
    const body = { ...question().params, ...fault } as unknown as Anthropic.MessageCreateParamsNonStreaming;
    const error = await faultOf(client.messages.create(body));
    expect(error).toMatchObject({ status: 400, error: { error: { type: 'invalid_request_error' } } });
    const { message } = (error.error as { error: { message: string } }).error;
    expect(message.startsWith(`${field}:`) || message.includes(`; ${field}:`), message).toBe(true);
  });

  test('of a model that is not there', async () => {
    for (const name of ['gpt-5', 'nobody'])
      expect(await faultOf(client.messages.create({ ...question().params, model: name }))).toMatchObject({
        status: 404,
        error: { error: { type: 'not_found_error' } },
      });
  });
});

describe('beside the messages', () => {
  test('tokens are counted, about', async () => {
    const { params } = question();
    const { model: name, messages } = params;
    const few = await client.messages.countTokens({ model: name, messages });
    const more = await client.messages.countTokens({
      model: name,
      messages,
      system: 'x'.repeat(3000),
      tools: [openDoor],
    });
    expect(few.input_tokens).toBeGreaterThan(10);
    expect(more.input_tokens - few.input_tokens).toBeGreaterThan(1000);
    expect(requestsFor(JSON.stringify(messages))).toHaveLength(0);
  });

  test('models are listed by pages, and told one by one', async () => {
    const ids: string[] = [];
    for await (const { id } of client.models.list({ limit: 3 })) ids.push(id);
    const { body } = await ada.call<{ items: { id: string }[] }>('GET', '/v1/models');
    expect(ids).toEqual(body.items.map(({ id }) => id));
    expect(await client.models.retrieve(model)).toMatchObject({ type: 'model', id: model });
    expect(await faultOf(client.models.retrieve('nobody'))).toMatchObject({ status: 404 });
  });
});
