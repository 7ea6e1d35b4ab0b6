import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ContentBlock } from '../../src/client/index.js';
import { SseClient } from '../support/clients.js';
import { Person } from '../support/person.js';
import { openScene, type Asked, type Scene } from '../support/scene.js';
import type { System } from '../support/system.js';
import type { Upstream, UpstreamBody } from '../support/upstream.js';

/** The main path, from the HTTP request to the model and back, with a model that does what the test says. */

let scene: Scene;
let system: System;
let upstream: Upstream;
let ada: Person;

beforeAll(async () => {
  scene = await openScene({ apis: 2, workers: 1 });
  ({ system, upstream, ada } = scene);
});

afterAll(() => scene.close());

/** The turns of a request: who speaks, and the texts. */
const turnsOf = ({ messages }: UpstreamBody): [string, ...string[]][] =>
  messages.map(({ role, content }) => [
    role,
    ...(typeof content === 'string' ? [content] : content.map(({ text = '' }) => text)),
  ]);

const messagesOf = async (conversationId: string) => (await ada.http.listMessages(conversationId)).items;

/** Resolves once the connection to the model has been closed from our side. */
const closed = ({ model }: Asked) => model.closed;

describe('the request to the model', () => {
  test('holds the history, what the conversation began with and remarks included', async () => {
    const conversationId = await ada.converse({
      system: 'Be brief.',
      messages: [
        { role: 'user', content: 'first question' },
        { role: 'assistant', content: 'first answer' },
      ],
    });
    const one = await scene.ask({ conversationId });
    expect(turnsOf(one.model.body)).toEqual([
      ['user', 'first question'],
      ['assistant', 'first answer'],
      ['user', one.prompt.text],
    ]);
    expect(one.model.body).toMatchObject({
      model: 'claude-sonnet-4-5',
      max_tokens: 4096,
      stream: true,
      system: 'Be brief.',
    });
    one.model.text('second answer').stop();
    await ada.ended(one.generation.id);
    await ada.http.sendMessage(conversationId, { content: 'a remark', generate: false });
    const two = await scene.ask({ conversationId });
    expect(turnsOf(two.model.body).slice(2)).toEqual([
      ['user', one.prompt.text],
      ['assistant', 'second answer'],
      ['user', 'a remark', two.prompt.text],
    ]);
    two.model.stop();
  });

  test('holds nothing that was said after its prompt', async () => {
    const conversationId = await ada.converse();
    const one = await scene.ask({ conversationId });
    await ada.ask(conversationId, 'two');
    await ada.ask(conversationId, 'three');
    one.model.text('answer one').stop();
    const two = await upstream.nextRequest(({ body }) => turnsOf(body).at(-1)?.[1] === 'two');
    expect(turnsOf(two.body)).toEqual([
      ['user', one.prompt.text],
      ['assistant', 'answer one'],
      ['user', 'two'],
    ]);
    two.text('answer two').stop();
    const three = await upstream.nextRequest(({ body }) => turnsOf(body).at(-1)?.[1] === 'three');
    expect(turnsOf(three.body).slice(2)).toEqual([
      ['user', 'two'],
      ['assistant', 'answer two'],
      ['user', 'three'],
    ]);
    three.stop();
  });

  test('says who said what where several people write, and only there', async () => {
    const bob = await Person.signIn(system.api(1), 'Bob');
    const conversationId = await ada.converse();
    await system.addMember(conversationId, bob.user.id);
    const one = await scene.ask({ conversationId });
    expect(turnsOf(one.model.body)).toEqual([['user', one.prompt.text]]);
    expect(one.model.body).not.toHaveProperty('system');
    one.model.text('hello').stop();
    await ada.ended(one.generation.id);
    const two = await scene.ask({ conversationId, person: bob });
    expect(turnsOf(two.model.body)).toEqual([
      ['user', `Ada: ${one.prompt.text}`],
      ['assistant', 'hello'],
      ['user', `Bob: ${two.prompt.text}`],
    ]);
    expect(two.model.body.system).toMatch(/several people/i);
    two.model.stop();
  });

  test('carries the options of the message, which go before the conversation', async () => {
    const conversationId = await ada.converse({ system: 'of the conversation' });
    const { model, generation } = await scene.ask({
      conversationId,
      options: {
        model: 'claude-haiku-4-5',
        maxTokens: 77,
        temperature: 0.25,
        topP: 0.5,
        stopSequences: ['END', '###'],
        system: 'of the message',
      },
    });
    expect(model.body).toMatchObject({
      model: 'claude-haiku-4-5',
      max_tokens: 77,
      temperature: 0.25,
      top_p: 0.5,
      stop_sequences: ['END', '###'],
      system: 'of the message',
    });
    model.text('before').stop({ stopReason: 'stop_sequence', stopSequence: 'END' });
    expect(await ada.ended(generation.id)).toMatchObject({
      model: 'claude-haiku-4-5',
      stopReason: 'stop_sequence',
      stopSequence: 'END',
    });
  });

  test('carries what was asked about thinking, and the thinking comes back', async () => {
    const { model, generation } = await scene.ask({
      options: { maxTokens: 4000, thinking: { type: 'enabled', budgetTokens: 2000 } },
    });
    expect(model.body.thinking).toEqual({ type: 'enabled', budget_tokens: 2000 });
    model.thinking('Let me ').thinking('see.').delta({ type: 'signature_delta', signature: 'abc' });
    model.text('It is so.').stop();
    expect(await ada.ended(generation.id)).toMatchObject({
      text: 'It is so.',
      content: [
        { type: 'thinking', thinking: 'Let me see.', signature: 'abc' },
        { type: 'text', text: 'It is so.' },
      ] satisfies ContentBlock[],
    });
  });
});

test('thinking that is to be omitted is not shown, but goes back with its signature', async () => {
  const options = { thinking: { type: 'adaptive', display: 'omitted' }, model: 'claude-opus-4-6' } as const;
  const { conversationId, model, generation } = await scene.ask({ options });
  expect(model.body.thinking).toEqual({ type: 'adaptive', display: 'omitted' });
  const watcher = ada.socket(conversationId);
  await watcher.connect();
  model.thinking('Let me see.').delta({ type: 'signature_delta', signature: 'abc' }).text('So.').stop();
  const { message } = await watcher.ended(generation.id);
  const thought = { type: 'thinking', thinking: '', signature: 'abc' };
  expect(message?.content).toEqual([thought, { type: 'text', text: 'So.' }]);
  expect(JSON.stringify(watcher.events)).not.toContain('Let me see');
  const next = await scene.ask({ conversationId, options });
  expect(next.model.body.messages[1]).toEqual({
    role: 'assistant',
    content: [thought, { type: 'text', text: 'So.' }],
  });
  next.model.stop();
});

test('a generation that has ended says what it used, cost and took', async () => {
  const { model, generation } = await scene.ask();
  model.start({
    inputTokens: 1000,
    id: 'msg_of_the_model',
    headers: { 'request-id': 'req_1', 'anthropic-ratelimit-requests-remaining': '99' },
  });
  model.text('four words ').text('are here').stop({ outputTokens: 200 });
  const ended = await ada.ended(generation.id);
  expect(ended).toMatchObject({
    status: 'completed',
    attempt: 1,
    provider: 'anthropic',
    stopReason: 'end_turn',
    usage: { inputTokens: 1000, outputTokens: 200, cacheReadInputTokens: 0, cacheCreationInputTokens: 0 },
    requestId: 'req_1',
    providerMessageId: 'msg_of_the_model',
    rateLimits: { 'anthropic-ratelimit-requests-remaining': '99' },
    streamed: true,
    cached: false,
    error: null,
    text: 'four words are here',
    content: [{ type: 'text', text: 'four words are here' }],
    metrics: { chunks: 2, characters: 19, words: 4 },
  });
  expect(ended.costUsd).toBeCloseTo((1000 * 3 + 200 * 15) / 1e6, 10);
  const { queuedMs, firstTokenMs, durationMs, tokensPerSecond } = ended.metrics;
  expect(queuedMs).toBeGreaterThanOrEqual(0);
  expect(firstTokenMs).toBeGreaterThanOrEqual(0);
  expect(durationMs).toBeGreaterThanOrEqual(firstTokenMs ?? Infinity);
  expect(tokensPerSecond).toBeGreaterThan(0);
  const [created, started, end] = [ended.createdAt, ended.startedAt, ended.endedAt].map((at) =>
    Date.parse(at ?? ''),
  );
  expect(started).toBeGreaterThanOrEqual(created ?? Infinity);
  expect(end).toBeGreaterThanOrEqual(started ?? Infinity);
});

describe('cancelling', () => {
  test('one that runs closes the connection to the model and keeps what everybody saw', async () => {
    const asked = await scene.ask();
    const { conversationId, generation, model } = asked;
    const watcher = ada.via(system.api(1)).socket(conversationId);
    await watcher.connect();
    model.text('partial ').text('answer');
    await watcher.until(() => watcher.written(generation.id) === 'partial answer');
    const answer = await ada.call('POST', `/v1/generations/${generation.id}/cancel`);
    expect(answer).toMatchObject({ status: 202, body: { id: generation.id } });
    await closed(asked);
    const end = await watcher.ended(generation.id);
    expect(end).toMatchObject({
      type: 'generation.cancelled',
      generation: { status: 'cancelled', stopReason: 'cancelled', error: null },
      message: { id: generation.messageId, text: 'partial answer', status: 'partial' },
    });
    expect(await ada.http.getGeneration(generation.id)).toMatchObject({
      status: 'cancelled',
      text: 'partial answer',
    });
    expect((await messagesOf(conversationId)).at(-1)).toMatchObject({
      text: 'partial answer',
      status: 'partial',
    });
    await expect(ada.http.cancelGeneration(generation.id)).rejects.toMatchObject({
      code: 'generation_ended',
      status: 409,
    });
  });

  test.each<[string, (asked: Asked) => void]>([
    ['has not answered at all', () => undefined],
    ['has sent its headers', ({ model }) => void model.hang()],
    ['has begun its message', ({ model }) => void model.start()],
    ['thinks', ({ model }) => void model.thinking('hm')],
    ['only pings', ({ model }) => void model.start().ping()],
  ])('reaches a silent model that %s', async (_, begin) => {
    const asked = await scene.ask();
    begin(asked);
    await ada.http.cancelGeneration(asked.generation.id);
    await closed(asked);
    expect(await ada.ended(asked.generation.id)).toMatchObject({
      status: 'cancelled',
      stopReason: 'cancelled',
      text: '',
    });
  });

  test('one that waits ends it at once, and the model never hears of it', async () => {
    const running = await scene.ask();
    const { conversationId } = running;
    const { generation } = await ada.ask(conversationId, 'never mind');
    expect(generation.status).toBe('waiting');
    const { body } = await ada.call('POST', `/v1/generations/${generation.id}/cancel`);
    expect(body).toMatchObject({ status: 'cancelled', stopReason: 'cancelled', attempt: 0 });
    running.model.text('done').stop();
    await ada.ended(running.generation.id);
    const next = await scene.ask({ conversationId });
    next.model.stop();
    await ada.ended(next.generation.id);
    const asked = upstream.requests.map(({ body: request }) => turnsOf(request).at(-1)?.at(-1));
    expect(asked).not.toContain('never mind');
    expect((await messagesOf(conversationId)).map(({ role }) => role)).toEqual(
      // The cancelled one wrote nothing, and an empty answer is no message.
      ['user', 'assistant', 'user', 'user'],
    );
  });

  test('one that is queued takes its job away', async () => {
    system.worker().kill('SIGSTOP');
    const conversationId = await ada.converse();
    let cancelled;
    try {
      const { generation } = await ada.ask(conversationId, 'not this one');
      expect(generation.status).toBe('queued');
      cancelled = await ada.http.cancelGeneration(generation.id);
    } finally {
      system.worker().kill('SIGCONT');
    }
    expect(cancelled).toMatchObject({ status: 'cancelled', attempt: 0 });
    const next = await scene.ask({ conversationId });
    expect(turnsOf(next.model.body)).toEqual([['user', 'not this one', next.prompt.text]]);
    next.model.text('this one').stop();
    expect(await ada.ended(next.generation.id)).toMatchObject({ status: 'completed', text: 'this one' });
  });

  test('right after asking, again and again, never stops a later generation', async () => {
    const conversationId = await ada.converse();
    for (let i = 0; i < 15; i += 1) {
      const { generation } = await ada.ask(conversationId, `question ${i}`);
      await ada.via(system.api(i % 2)).http.cancelGeneration(generation.id);
      expect(await ada.ended(generation.id)).toMatchObject({ status: 'cancelled' });
    }
    const last = await scene.ask({ conversationId });
    last.model.text('all of ').text('it').stop();
    expect(await ada.ended(last.generation.id)).toMatchObject({ status: 'completed', text: 'all of it' });
  });

  test('a conversation ends all of its generations and no others', async () => {
    const other = await scene.ask();
    const running = await scene.ask();
    const { conversationId } = running;
    const waiting = [await ada.ask(conversationId, 'two'), await ada.ask(conversationId, 'three')];
    running.model.text('some');
    const { generations } = await ada.http.cancelConversation(conversationId);
    const ids = [running, ...waiting].map(({ generation }) => generation.id);
    expect(generations.map(({ id }) => id)).toEqual(ids);
    await closed(running);
    for (const id of ids) expect(await ada.ended(id)).toMatchObject({ status: 'cancelled' });
    expect(await ada.http.getConversation(conversationId)).toMatchObject({ running: 0 });
    other.model.text('untouched').stop();
    expect(await ada.ended(other.generation.id)).toMatchObject({ status: 'completed', text: 'untouched' });
    const next = await scene.ask({ conversationId });
    next.model.text('again').stop();
    expect(await ada.ended(next.generation.id)).toMatchObject({ status: 'completed' });
  });

  test('is for those who may write: a viewer is refused, an outsider finds nothing', async () => {
    const asked = await scene.ask();
    const [viewer, outsider] = [
      await Person.signIn(system.api(), 'Vera'),
      await Person.signIn(system.api(), 'Eve'),
    ];
    await system.addMember(asked.conversationId, viewer.user.id, 'viewer');
    await expect(viewer.http.cancelGeneration(asked.generation.id)).rejects.toMatchObject({
      code: 'forbidden',
    });
    await expect(outsider.http.cancelGeneration(asked.generation.id)).rejects.toMatchObject({
      code: 'not_found',
    });
    asked.model.text('still here').stop();
    expect(await ada.ended(asked.generation.id)).toMatchObject({ status: 'completed', text: 'still here' });
  });
});

describe('several messages', () => {
  test('sent through two apis at once are answered one after the other, in the order of their positions', async () => {
    const conversationId = await ada.converse();
    const sent = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        ada.via(system.api(i % 2)).ask(conversationId, `${conversationId} message ${i}`),
      ),
    );
    const inOrder = sent.toSorted((a, b) => a.message.position - b.message.position);
    const ours = ({ body }: { body: UpstreamBody }) => JSON.stringify(body).includes(conversationId);
    for (const { message } of inOrder) {
      const request = await upstream.nextRequest(ours);
      expect(turnsOf(request.body).at(-1)).toEqual(['user', message.text]);
      expect(upstream.requests.filter((each) => ours(each) && !each.ended)).toEqual([request]);
      request.text(`answer to ${message.text}`).stop();
    }
    for (const { generation } of sent) await ada.ended(generation.id);
    expect((await messagesOf(conversationId)).map(({ text }) => text)).toEqual(
      inOrder.flatMap(({ message: { text } }) => [text, `answer to ${text}`]),
    );
  });

  test('are refused in a busy conversation that rejects, and leave nothing behind', async () => {
    const conversationId = await ada.converse({ concurrency: 'reject' });
    const { model, generation } = await scene.ask({ conversationId });
    await expect(ada.ask(conversationId, 'too early')).rejects.toMatchObject({
      code: 'conversation_busy',
      status: 409,
    });
    expect(await messagesOf(conversationId)).toHaveLength(2);
    model.text('done').stop();
    await ada.ended(generation.id);
    const next = await scene.ask({ conversationId });
    expect(turnsOf(next.model.body)).toHaveLength(3);
    next.model.stop();
  });

  test('interrupt what runs and waits, where the conversation says so', async () => {
    const running = await scene.ask();
    const { conversationId } = running;
    const waiting = await ada.ask(conversationId, 'waiting');
    await ada.call('PATCH', `/v1/conversations/${conversationId}`, { concurrency: 'interrupt' });
    const watcher = ada.socket(conversationId);
    await watcher.connect();
    running.model.text('cut off');
    await watcher.until(() => watcher.written(running.generation.id) === 'cut off');
    const next = await scene.ask({ conversationId });
    await closed(running);
    const interrupted = {
      type: 'generation.cancelled',
      generation: { stopReason: 'interrupted', error: null },
    };
    expect(await watcher.ended(running.generation.id)).toMatchObject(interrupted);
    expect(await watcher.ended(waiting.generation.id)).toMatchObject(interrupted);
    expect(turnsOf(next.model.body)).toEqual([
      ['user', running.prompt.text],
      ['assistant', 'cut off'],
      ['user', 'waiting', next.prompt.text],
    ]);
    next.model.text('new').stop();
    expect(await watcher.ended(next.generation.id)).toMatchObject({ message: { text: 'new' } });
  });

  test('are answered at the same time in a parallel conversation', async () => {
    const conversationId = await ada.converse({ concurrency: 'parallel' });
    const asked = [];
    for (let i = 0; i < 3; i += 1) asked.push(await scene.ask({ conversationId }));
    for (const { model } of asked) expect(model.ended).toBe(false);
    for (const [i, { model }] of asked.entries()) model.text(`answer ${i}`).stop();
    for (const [i, { generation }] of asked.entries())
      expect(await ada.ended(generation.id)).toMatchObject({ text: `answer ${i}` });
    expect((await messagesOf(conversationId)).filter(({ role }) => role === 'assistant')).toHaveLength(3);
  });
});

describe('posting a message', () => {
  test('twice with one Idempotency-Key, through two apis at once, is one message and one generation', async () => {
    const conversationId = await ada.converse();
    const path = `/v1/conversations/${conversationId}/messages`;
    const headers = { 'idempotency-key': 'once' };
    const content = `only once ${conversationId}`;
    const answers = await Promise.all(
      [0, 1].map((i) => ada.via(system.api(i)).call<Asked>('POST', path, { content }, { headers })),
    );
    expect(answers.map(({ status }) => status)).toEqual([202, 202]);
    expect(answers[0]?.body).toEqual(answers[1]?.body);
    expect(answers.map((answer) => answer.headers.get('idempotency-replayed')).sort()).toEqual([
      null,
      'true',
    ]);
    const model = await scene.modelFor(content);
    model.text('once').stop();
    await ada.ended(answers[0]?.body.generation.id ?? '');
    expect(await messagesOf(conversationId)).toHaveLength(2);
    expect(
      upstream.requests.filter(({ body }) => JSON.stringify(body.messages).includes(content)),
    ).toHaveLength(1);
    expect(await ada.call('POST', path, { content: 'another' }, { headers })).toMatchObject({
      status: 422,
      body: { code: 'idempotency_key_reused' },
    });
  });

  test('with Accept: text/event-stream answers with the stream of its generation', async () => {
    const conversationId = await ada.converse();
    const content = `stream it ${conversationId}`;
    const { url } = system.api(1);
    const stream = new SseClient(
      { url, token: ada.token, room: `conversation:${conversationId}` },
      `/v1/conversations/${conversationId}/messages`,
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ content }) },
    );
    const [, model] = await Promise.all([stream.connect(), scene.modelFor(content)]);
    model.text('live').text(' and whole').stop();
    await stream.end();
    expect(stream.headers.get('location')).toMatch(/^\/v1\/generations\//);
    const { generation } = await stream.waitFor('generation.completed');
    expect(stream.written(generation.id)).toBe('live and whole');
    expect(stream.frames.map(({ event }) => event).at(0)).toBe('snapshot');
    expect(stream.frames.at(-1)?.event).toBe('generation.completed');
  });

  test('with Prefer: wait answers when the generation has ended', async () => {
    const conversationId = await ada.converse();
    const content = `wait for it ${conversationId}`;
    const posted = ada.call(
      'POST',
      `/v1/conversations/${conversationId}/messages`,
      { content },
      {
        headers: { prefer: 'wait=20' },
      },
    );
    (await scene.modelFor(content)).text('worth it').stop();
    expect(await posted).toMatchObject({
      status: 200,
      body: { message: { text: content }, generation: { status: 'completed', text: 'worth it' } },
    });
  });

  test('with a Prefer: wait that is too short answers 202 with what there is', async () => {
    const conversationId = await ada.converse();
    const content = `wait a moment ${conversationId}`;
    const posted = ada.call<Asked>(
      'POST',
      `/v1/conversations/${conversationId}/messages`,
      { content },
      {
        headers: { prefer: 'wait=1' },
      },
    );
    const model = await scene.modelFor(content);
    model.text('so far');
    const { status, body } = await posted;
    expect(status).toBe(202);
    expect(body.generation).toMatchObject({ status: 'running', text: 'so far' });
    model.text(', so good').stop();
    expect(await ada.ended(body.generation.id)).toMatchObject({ text: 'so far, so good' });
  });

  test('and leaving early cancels nothing', async () => {
    const conversationId = await ada.converse();
    const content = `leave early ${conversationId}`;
    const leaving = new AbortController();
    const posted = ada.call(
      'POST',
      `/v1/conversations/${conversationId}/messages`,
      { content },
      {
        headers: { prefer: 'wait=20' },
        signal: leaving.signal,
      },
    );
    const model = await scene.modelFor(content);
    leaving.abort();
    await expect(posted).rejects.toThrow();
    const { generationId } = (await messagesOf(conversationId)).at(-1) ?? {};
    model.text('all the same').stop();
    expect(await ada.ended(generationId ?? '')).toMatchObject({ status: 'completed', text: 'all the same' });
  });
});

describe('a history that is taken away while its answer is written', () => {
  test('by clearing it ends the answer as cancelled, and nothing of it is kept', async () => {
    const asked = await scene.ask();
    const { conversationId, generation, model } = asked;
    const watcher = ada.socket(conversationId);
    await watcher.connect();
    const waiting = await ada.ask(conversationId, 'next');
    model.text('for nothing');
    await watcher.until(() => watcher.written(generation.id) === 'for nothing');
    expect(await ada.call('DELETE', `/v1/conversations/${conversationId}/messages`)).toMatchObject({
      status: 204,
    });
    await closed(asked);
    await watcher.waitFor('messages.cleared');
    const gone = { type: 'generation.cancelled', message: null };
    expect(await watcher.ended(generation.id)).toMatchObject(gone);
    expect(await watcher.ended(waiting.generation.id)).toMatchObject(gone);
    expect(watcher.state).toMatchObject({ messages: [], generations: [] });
    expect(await messagesOf(conversationId)).toEqual([]);
    const next = await scene.ask({ conversationId });
    expect(turnsOf(next.model.body)).toEqual([['user', next.prompt.text]]);
    next.model.text('afresh').stop();
    expect(await ada.ended(next.generation.id)).toMatchObject({ text: 'afresh' });
    expect(watcher.events.findLast(({ type }) => type === 'generation.chunk')).not.toMatchObject({
      generationId: generation.id,
    });
  });

  test('by deleting the conversation closes the model and everything that watches', async () => {
    const asked = await scene.ask();
    const { conversationId, generation, model } = asked;
    model.text('for nothing');
    const [socket, stream] = [ada.socket(conversationId), ada.via(system.api(1)).eventStream(conversationId)];
    await Promise.all([socket.connect(), stream.connect()]);
    expect(await ada.call('DELETE', `/v1/conversations/${conversationId}`)).toMatchObject({ status: 204 });
    await closed(asked);
    await socket.waitFor('conversation.deleted');
    await stream.end();
    expect(stream.events.at(-1)?.type).toBe('conversation.deleted');
    await expect(ada.http.getGeneration(generation.id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(ada.http.listMessages(conversationId)).rejects.toMatchObject({ code: 'not_found' });
    await expect(stream.connect()).rejects.toMatchObject({ code: 'not_found' });
  });
});
