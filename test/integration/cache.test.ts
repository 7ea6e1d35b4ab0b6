import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Budget, Generation, NewMessage, RoomEvent } from '../../src/client/index.js';
import { callAsAdmin } from '../support/admin.js';
import type { SocketClient } from '../support/clients.js';
import { metric } from '../support/metrics.js';
import { Person } from '../support/person.js';
import { plainOutline } from '../support/plain-outline.js';
import { openScene, type Scene } from '../support/scene.js';
import type { SystemProcess } from '../support/system.js';
import type { UpstreamRequest } from '../support/upstream.js';

/** `cache: true`: an identical request is answered without the model. The model costs $3 and $15 for a million tokens. */

type Options = Exclude<NewMessage['generate'], boolean | undefined>;

let scene: Scene;
let ada: Person;

beforeAll(async () => {
  scene = await openScene({ workers: 2 });
  ({ ada } = scene);
});
afterAll(() => scene.close());

interface Asked {
  conversationId: string;
  generation: Generation;
  watcher: SocketClient;
}

/** Asks in a new conversation, which is watched. */
async function ask(prompt: string, options: Options = {}, person = ada): Promise<Asked> {
  const conversationId = await person.converse();
  const watcher = person.socket(conversationId);
  await watcher.connect();
  const { generation } = await person.ask(conversationId, prompt, { cache: true, ...options });
  return { conversationId, generation, watcher };
}

const aPrompt = () => `a prompt, ${randomUUID()}`;

const requestsFor = (prompt: string) =>
  scene.upstream.requests.filter(({ body }) => JSON.stringify(body.messages).includes(prompt));

const endOf = async ({ watcher, generation }: Asked) => (await watcher.ended(generation.id)).generation;

/** Asks and has the model answer, so that the answer is kept. */
async function fill(
  prompt: string,
  options: Options = {},
  answer = (model: UpstreamRequest) => model.text('One. ').text('Two.').stop(),
): Promise<Asked> {
  const asked = await ask(prompt, options);
  answer(await scene.modelFor(prompt));
  expect(await endOf(asked)).toMatchObject({ status: 'completed', cached: false });
  return asked;
}

/** What of an event is the same in every answer to the same request. */
function shapeOf(event: RoomEvent): string {
  if (event.type !== 'generation.chunk') return event.type;
  return event.chunk.type;
}

const shapes = ({ watcher }: Asked) =>
  watcher.logged.map(shapeOf).filter((shape, at, all) => shape !== all[at - 1]);

describe('an identical request', () => {
  test('is answered from the cache, with the same events, at no cost', async () => {
    const prompt = aPrompt();
    const first = await fill(prompt, {}, (model) =>
      model.start({ inputTokens: 100 }).text('It is ').text('kept.').stop({ outputTokens: 10 }),
    );
    const before = (await ada.http.getMe()).budget;
    const second = await ask(prompt);
    const { generation, message } = await second.watcher.ended(second.generation.id);
    expect(generation).toMatchObject({
      status: 'completed',
      cached: true,
      costUsd: 0,
      usage: { inputTokens: 0, outputTokens: 0, cacheReadInputTokens: 0, cacheCreationInputTokens: 0 },
      stopReason: 'end_turn',
      requestId: null,
      providerMessageId: null,
      streamed: null,
      error: null,
    });
    expect(message).toMatchObject({ status: 'complete', text: 'It is kept.' });
    expect(second.watcher.written(second.generation.id)).toBe('It is kept.');
    expect(shapes(second)).toEqual(shapes(first));
    expect(shapes(second)).toEqual(plainOutline);
    expect(requestsFor(prompt)).toHaveLength(1);
    expect((await ada.http.getMe()).budget).toEqual(before);
    expect(await ada.http.getConversationBudget(second.conversationId)).toMatchObject({
      spentUsd: 0,
      reservedUsd: 0,
    });
    expect(await ada.http.getGeneration(second.generation.id)).toMatchObject({ cached: true, costUsd: 0 });
  });

  test('is shaped as it asks for', async () => {
    const prompt = aPrompt();
    await fill(prompt);
    const { watcher, generation } = await ask(prompt, { flush: { by: 'sentence' }, render: 'html' });
    expect((await watcher.ended(generation.id)).generation.cached).toBe(true);
    const sentences = watcher
      .of('generation.chunk')
      .flatMap(({ chunk, sentenceIndex }) => (chunk.type === 'content_block_delta' ? [sentenceIndex] : []));
    expect(sentences).toEqual([0, 1]);
    expect(watcher.of('generation.html').filter(({ done }) => done)).toMatchObject([
      { html: '<p>One. Two.</p>\n' },
    ]);
  });

  test('gets its thinking, its calls with their results, and its object', async () => {
    const prompt = aPrompt();
    const options: Options = {
      tools: ['calculator'],
      outputSchema: { type: 'object', properties: { sum: { type: 'number' } }, required: ['sum'] },
    };
    const first = await ask(prompt, options);
    const model = await scene.modelFor(prompt);
    model.thinking('Add them up.').delta({ type: 'signature_delta', signature: 'sig' });
    model.call('c1', 'calculator', '{"expression":', '"2+3"}').stop({ stopReason: 'tool_use' });
    (await scene.modelFor(prompt)).text('{"sum":').text('5}').stop();
    const { content } = (await first.watcher.ended(first.generation.id)).message ?? {};
    expect(content?.map(({ type }) => type)).toEqual(['thinking', 'tool_use', 'tool_result', 'text']);
    const second = await ask(prompt, options);
    const end = await second.watcher.ended(second.generation.id);
    expect(end.generation.cached).toBe(true);
    expect(end.message?.content).toEqual(content);
    expect(second.watcher.of('generation.tool_result')).toMatchObject([
      { toolUseId: 'c1', name: 'calculator', output: '5', isError: false },
    ]);
    expect(second.watcher.of('generation.object').at(-1)).toMatchObject({
      value: { sum: 5 },
      complete: true,
    });
    expect(requestsFor(prompt)).toHaveLength(2);
  });

  test('is told in pieces, none of which cuts a character', async () => {
    const prompt = aPrompt();
    const text = '👩‍👩‍👧‍👦é👍🏽 '.repeat(400);
    await fill(prompt, {}, (model) => model.text(text).stop());
    const { watcher, generation } = await ask(prompt);
    const end = await watcher.ended(generation.id);
    expect(end.message?.text).toBe(text);
    const deltas = watcher
      .of('generation.chunk')
      .flatMap(({ chunk }) =>
        chunk.type === 'content_block_delta' && chunk.delta.type === 'text_delta' ? [chunk.delta.text] : [],
      );
    expect(deltas.join('')).toBe(text);
    expect(deltas.length).toBeGreaterThan(20);
    expect(end.generation.metrics.chunks).toBe(deltas.length);
    for (const delta of deltas) expect(delta).toMatch(/^(👩|é|👍🏽| )/u);
  });

  test.each<[string, Options]>([
    ['another option', { temperature: 0.3 }],
    ['another system prompt', { system: 'Be brief.' }],
    ['no wish for the cache', { cache: false }],
  ])('with %s is another one', async (_, options) => {
    const prompt = aPrompt();
    await fill(prompt);
    await fill(prompt, options);
    expect(requestsFor(prompt)).toHaveLength(2);
  });

  test('with another history is another one', async () => {
    const prompt = aPrompt();
    const { conversationId } = await fill(prompt);
    const { generation } = await ada.ask(conversationId, prompt, { cache: true });
    (await scene.modelFor(prompt)).text('Again.').stop();
    expect(await ada.ended(generation.id)).toMatchObject({ cached: false, text: 'Again.' });
  });

  test('of somebody else is another one', async () => {
    const prompt = aPrompt();
    await fill(prompt);
    const bob = await Person.signIn(scene.system.api(), 'Bob');
    const asked = await ask(prompt, {}, bob);
    (await scene.modelFor(prompt)).text('For Bob.').stop();
    expect(await endOf(asked)).toMatchObject({ cached: false });
    bob.leave();
  });

  test('with a budget that has less is answered, but what it makes is not kept', async () => {
    const prompt = aPrompt();
    const options = { maxTokens: 1000 };
    const limited = async () => {
      const conversationId = await ada.converse();
      const path = `/admin/budgets/conversations/${conversationId}`;
      await callAsAdmin<Budget>(scene.system.api(), 'PUT', path, { body: { limitUsd: 0.005 } });
      return ada.ask(conversationId, prompt, { cache: true, ...options });
    };
    const { generation: lowered } = await limited();
    expect(lowered.options.maxTokens).toBeLessThan(1000);
    (await scene.modelFor(prompt)).text('Short.').stop();
    expect(await ada.ended(lowered.id)).toMatchObject({ cached: false });
    await fill(prompt, options);
    expect(await ada.ended((await limited()).generation.id)).toMatchObject({
      cached: true,
      text: 'One. Two.',
      budget: { spentUsd: 0, remainingUsd: 0.005 },
    });
  });

  test('is not what continues an answer', async () => {
    const prompt = aPrompt();
    const asked = await fill(prompt, {}, (model) => model.text('Half').stop({ stopReason: 'max_tokens' }));
    const { generation } = await ada.http.continueGeneration(asked.generation.id);
    (await scene.modelFor(prompt)).text(' and half.').stop();
    expect(await ada.ended(generation.id)).toMatchObject({ cached: false, text: 'Half and half.' });
    expect(await endOf(await ask(prompt))).toMatchObject({ cached: true, stopReason: 'max_tokens' });
  });
});

describe('two identical requests at once', () => {
  /** One that the model is writing, and one that waits for it. */
  async function both() {
    const prompt = aPrompt();
    const first = await ask(prompt);
    const model = await scene.modelFor(prompt);
    const second = await ask(prompt);
    await second.watcher.waitFor('generation.started');
    return { prompt, first, model, second };
  }

  test('ask the model once', async () => {
    const { prompt, first, model, second } = await both();
    const third = await ask(prompt);
    await third.watcher.waitFor('generation.started');
    model.text('For all of us.').stop();
    expect(await endOf(first)).toMatchObject({ cached: false });
    for (const asked of [second, third]) {
      const end = await asked.watcher.ended(asked.generation.id);
      expect(end).toMatchObject({
        generation: { cached: true, costUsd: 0 },
        message: { text: 'For all of us.' },
      });
    }
    expect(requestsFor(prompt)).toHaveLength(1);
  });

  test.each<[string, (model: UpstreamRequest, first: Asked) => unknown]>([
    ['is refused', (model) => model.text('No.').stop({ stopReason: 'refusal' })],
    ['is cancelled', (_, { generation }) => ada.http.cancelGeneration(generation.id)],
    ['is deleted from the cache', (_, { generation }) => ada.http.forgetCachedAnswer(generation.id)],
  ])('where the first %s, the second asks for itself', async (_, end) => {
    const { prompt, first, model, second } = await both();
    await end(model.start(), first);
    const own = await scene.upstream.nextRequest(
      (request) => request !== model && requestsFor(prompt).includes(request) && !isContinued(request),
    );
    own.text('My own.').stop();
    const { generation, message } = await second.watcher.ended(second.generation.id);
    expect([generation.cached, message?.text]).toEqual([false, 'My own.']);
    if ((await ada.http.getGeneration(first.generation.id)).status === 'running')
      await ada.http.cancelGeneration(first.generation.id);
  });

  test('where the second is cancelled, it ends at once and the first goes on', async () => {
    const { prompt, first, model, second } = await both();
    await ada.http.cancelGeneration(second.generation.id);
    expect(await endOf(second)).toMatchObject({ status: 'cancelled', stopReason: 'cancelled', costUsd: 0 });
    model.text('Still here.').stop();
    expect(await endOf(first)).toMatchObject({ status: 'completed' });
    expect(requestsFor(prompt)).toHaveLength(1);
  });

  test('where the second runs out of time, it fails alone', async () => {
    const prompt = aPrompt();
    const first = await ask(prompt);
    const model = await scene.modelFor(prompt);
    // Its first token is the model's to bring, which it has not asked.
    const second = await ask(prompt, { timeoutMs: 500, idleTimeoutMs: 50, firstTokenTimeoutMs: 50 });
    expect(await endOf(second)).toMatchObject({ status: 'failed', error: { code: 'timeout' } });
    model.text('In time.').stop();
    expect(await endOf(first)).toMatchObject({ status: 'completed' });
  });
});

test('a cached answer is deleted by who asked, and by nobody else', async () => {
  const prompt = aPrompt();
  const { conversationId, generation } = await fill(prompt);
  const bob = await Person.signIn(scene.system.api(), 'Bob');
  const path = `/v1/generations/${generation.id}/cache`;
  expect(await bob.call('DELETE', path)).toMatchObject({ status: 404, body: { code: 'not_found' } });
  await scene.system.addMember(conversationId, bob.user.id);
  expect(await bob.call('DELETE', path)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  expect(await endOf(await ask(prompt))).toMatchObject({ cached: true });
  expect(await ada.call('DELETE', path)).toMatchObject({ status: 204, body: undefined });
  expect(await ada.call('DELETE', path)).toMatchObject({ status: 204 });
  await fill(prompt);
  expect(requestsFor(prompt)).toHaveLength(2);
});

test.each(['yes', 1, null])('a wish of %j is refused', async (cache) => {
  const body = { content: 'hello', generate: { cache } };
  const answer = await ada.call('POST', `/v1/conversations/${await ada.converse()}/messages`, body);
  expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
});

test('users share answers where the operator says so', async () => {
  const shared = await openScene({ env: { CACHE_SHARED: 'true' } });
  try {
    const prompt = aPrompt();
    const { generation } = await shared.ada.ask(await shared.ada.converse(), prompt, { cache: true });
    (await shared.modelFor(prompt)).text('For everybody.').stop();
    expect(await shared.ada.ended(generation.id)).toMatchObject({ cached: false });
    const bob = await Person.signIn(shared.system.api(), 'Bob');
    const { generation: same } = await bob.ask(await bob.converse(), prompt, { cache: true });
    expect(await bob.ended(same.id)).toMatchObject({ cached: true, text: 'For everybody.' });
  } finally {
    await shared.close();
  }
});

// Last: it leaves one worker.
test('where the worker of the first dies, the second asks for itself', async () => {
  const prompt = aPrompt();
  const first = await ask(prompt);
  const model = await scene.modelFor(prompt);
  model.text('Half of');
  await first.watcher.until(() => first.watcher.written(first.generation.id) === 'Half of');
  await expect.poll(runningInAll).toHaveLength(1);
  const [busy] = await runningInAll();
  busy?.kill('SIGKILL');
  const second = await ask(prompt);
  await second.watcher.waitFor('generation.started');
  const own = await scene.upstream.nextRequest(
    (request) => requestsFor(prompt).includes(request) && !isContinued(request),
  );
  own.text('My own.').stop();
  const { generation, message } = await second.watcher.ended(second.generation.id);
  expect([generation.cached, message?.text]).toEqual([false, 'My own.']);
  const continued = await scene.upstream.nextRequest(
    (request) => requestsFor(prompt).includes(request) && isContinued(request),
  );
  continued.text(' it.').stop();
  expect((await first.watcher.ended(first.generation.id)).message?.text).toBe('Half of it.');
  // The second's is kept: the first had lost its turn.
  const third = await ask(prompt);
  expect((await third.watcher.ended(third.generation.id)).message?.text).toBe('My own.');
});

/** The workers that have a generation in their hands. */
async function runningInAll(): Promise<SystemProcess[]> {
  const { workers } = scene.system;
  const counts = await Promise.all(workers.map((worker) => metric(worker, 'tokencast_generations_running')));
  return workers.filter((_, at) => counts[at]);
}

const isContinued = ({ body }: UpstreamRequest) => body.messages.at(-1)?.role === 'assistant';
