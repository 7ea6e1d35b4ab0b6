import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Person } from '../support/person.js';
import { openScene, type Scene } from '../support/scene.js';
import type { UpstreamBody, UpstreamRequest } from '../support/upstream.js';

/** What becomes of a generation when its model refuses, breaks, stalls or talks nonsense. */

let scene: Scene;
let ada: Person;

beforeAll(async () => {
  scene = await openScene();
  ({ ada } = scene);
});

afterAll(() => scene.close());

async function askWatched(options?: Parameters<Person['ask']>[2]) {
  const conversationId = await ada.converse();
  const watcher = ada.socket(conversationId);
  await watcher.connect();
  const asked = await scene.ask({ conversationId, options });
  return { ...asked, watcher, nextModel: () => scene.modelFor(asked.prompt.text) };
}

const warnings = (watcher: ReturnType<Person['socket']>) =>
  watcher.of('generation.warning').map(({ code }) => code);

const lastTurn = ({ messages }: UpstreamBody) => {
  const { role, content = '' } = messages.at(-1) ?? {};
  const texts = typeof content === 'string' ? [content] : content.map(({ text = '' }) => text);
  return { role, text: texts.join('') };
};

describe('a provider that turns requests away', () => {
  test('with 429 gets the generation again after the time that it asked for', async () => {
    const { model, generation, watcher, nextModel } = await askWatched();
    model.fail(429, undefined, { 'retry-after': '1' });
    const again = await nextModel();
    expect(again.receivedAtMs - model.receivedAtMs).toBeGreaterThanOrEqual(1000);
    again.text('at last').stop();
    const end = await watcher.ended(generation.id);
    expect(end).toMatchObject({
      type: 'generation.completed',
      generation: { attempt: 2, status: 'completed' },
      message: { text: 'at last' },
    });
    expect(watcher.of('generation.started').map((event) => event.generation.attempt)).toEqual([1, 2]);
    expect(warnings(watcher)).toEqual(['retrying']);
  });

  test.each([500, 529])('with %i is asked again, and the room is told', async (status) => {
    const { model, generation, watcher, nextModel } = await askWatched();
    model.fail(status);
    const again = await nextModel();
    expect(again.body).toEqual(model.body);
    again.text('better').stop();
    expect(await watcher.ended(generation.id)).toMatchObject({
      generation: { attempt: 1, streamed: true },
      message: { text: 'better', status: 'complete' },
    });
    expect(warnings(watcher)).toEqual(['retrying']);
    expect(watcher.written(generation.id)).toBe('better');
  });

  test('twice is asked a third time for the whole answer at once', async () => {
    const { model, generation, watcher, nextModel } = await askWatched();
    model.fail(500);
    (await nextModel()).fail(503);
    const whole = await nextModel();
    expect(whole.body.stream ?? false).toBe(false);
    whole.text('in one ').text('piece').stop();
    expect(await watcher.ended(generation.id)).toMatchObject({
      type: 'generation.completed',
      generation: { streamed: false, stopReason: 'end_turn' },
      message: { text: 'in one piece' },
    });
    expect(warnings(watcher)).toEqual(['retrying', 'retrying', 'fallback_blocking']);
    expect(watcher.written(generation.id)).toBe('in one piece');
    expect(watcher.of('generation.chunk').map(({ chunk }) => chunk.type)).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
  });

  test.each([
    [500, 'provider_error'],
    [529, 'provider_overloaded'],
  ])('three times with %i fails it as %s', async (status, code) => {
    const { model, generation, watcher, nextModel } = await askWatched();
    model.fail(status);
    (await nextModel()).fail(status);
    (await nextModel()).fail(status);
    expect(await watcher.ended(generation.id)).toMatchObject({
      type: 'generation.failed',
      generation: { status: 'failed', error: { code, provider: 'anthropic', statusCode: status } },
      message: null,
    });
  });

  test.each([
    [401, 'provider_auth'],
    [403, 'provider_auth'],
    [400, 'provider_error'],
    [404, 'provider_error'],
  ])('with %i is not asked again: %s', async (status, code) => {
    const { conversationId, model, generation, watcher } = await askWatched();
    model.fail(status);
    expect(await watcher.ended(generation.id)).toMatchObject({
      type: 'generation.failed',
      generation: {
        error: { code, statusCode: status },
        requestId: expect.stringMatching(/^req_/) as string,
      },
      message: null,
    });
    expect(warnings(watcher)).toEqual([]);
    const next = await scene.ask({ conversationId });
    next.model.text('the conversation goes on').stop();
    expect(await ada.ended(next.generation.id)).toMatchObject({ status: 'completed' });
  });
});

describe('an answer that breaks', () => {
  test.each<[string, (model: UpstreamRequest) => void]>([
    ['by a cut', (model) => void model.cut()],
    ['by an early end', (model) => void model.end()],
    ['by an error event', (model) => void model.error({ type: 'overloaded_error', message: 'Overloaded' })],
    ['by garbage', (model) => void model.raw('event: content_block_delta\ndata: {"type":\n\n').end()],
  ])('%s is gone on from, in the same block', async (_, breakOff) => {
    const { model, generation, watcher, nextModel } = await askWatched();
    model.start({ inputTokens: 100 }).text('Half of ');
    await watcher.until(() => watcher.written(generation.id) === 'Half of ');
    breakOff(model);
    const again = await nextModel();
    expect(lastTurn(again.body)).toEqual({ role: 'assistant', text: 'Half of' });
    again.start({ inputTokens: 110 }).text(' the answer').stop({ outputTokens: 5 });
    const { generation: head, message } = await watcher.ended(generation.id);
    expect(message).toMatchObject({ text: 'Half of the answer', content: [{ text: 'Half of the answer' }] });
    expect(watcher.written(generation.id)).toBe('Half of the answer');
    expect(head.usage?.inputTokens).toBe(210);
    const types = watcher.of('generation.chunk').map(({ chunk }) => chunk.type);
    for (const type of ['message_start', 'content_block_start', 'message_stop'])
      expect(types.filter((each) => each === type)).toHaveLength(1);
  });

  test('starts over where it was asked to', async () => {
    const { model, generation, watcher, nextModel } = await askWatched({ onCrash: 'restart' });
    model.text('wrong');
    await watcher.until(() => watcher.written(generation.id) === 'wrong');
    model.cut();
    const again = await nextModel();
    expect(again.body).toEqual(model.body);
    again.text('right').stop();
    expect(await watcher.ended(generation.id)).toMatchObject({ message: { text: 'right' } });
    expect(watcher.of('generation.reset')).toHaveLength(1);
    expect(watcher.written(generation.id)).toBe('right');
    const late = ada.socket(generation.conversationId ?? '');
    await late.connect();
    expect(late.state?.messages.at(-1)?.text).toBe('right');
  });

  test('three times fails it, and keeps what was written', async () => {
    const { model, generation, watcher, nextModel } = await askWatched();
    const sayAndBreak = async (request: UpstreamRequest, piece: string, sofar: string) => {
      request.text(piece);
      await watcher.until(() => watcher.written(generation.id) === sofar);
      request.cut();
    };
    await sayAndBreak(model, 'one ', 'one ');
    await sayAndBreak(await nextModel(), ' two', 'one two');
    await sayAndBreak(await nextModel(), ' three', 'one two three');
    const end = await watcher.ended(generation.id);
    expect(end).toMatchObject({
      type: 'generation.failed',
      generation: { error: { code: 'provider_error' } },
      message: { status: 'partial', text: watcher.written(generation.id) },
    });
    expect(watcher.written(generation.id)).toBe('one two three');
  });

  test('that is no event stream at all fails in the end', async () => {
    const { model, generation, watcher, nextModel } = await askWatched();
    const nonsense = (request: UpstreamRequest) => request.fail(200, '<html>welcome</html>');
    nonsense(model);
    nonsense(await nextModel());
    nonsense(await nextModel());
    expect(await watcher.ended(generation.id)).toMatchObject({
      type: 'generation.failed',
      generation: { error: { code: 'provider_error', provider: 'anthropic' } },
      message: null,
    });
  });

  test('by a refusal fails, and keeps what was written', async () => {
    const { model, generation, watcher } = await askWatched();
    model.text('I would rather not').stop({ stopReason: 'refusal' });
    expect(await watcher.ended(generation.id)).toMatchObject({
      type: 'generation.failed',
      generation: { stopReason: 'refusal', error: { code: 'provider_refused' } },
      message: { text: 'I would rather not', status: 'partial' },
    });
  });

  test('with events that nobody knows is the same without them', async () => {
    const { model, generation, watcher } = await askWatched();
    model.start().ping().event('something_new', { field: 1 });
    model.text('as ever').ping().event('something_else').stop();
    expect(await watcher.ended(generation.id)).toMatchObject({ message: { text: 'as ever' } });
    expect(JSON.stringify(watcher.events)).not.toContain('something');
  });
});

describe('time', () => {
  test('runs out for a model that is silent, pings or not', async () => {
    const { model, generation, watcher } = await askWatched({ idleTimeoutMs: 300 });
    model.text('and then');
    const pinging = setInterval(() => model.ping(), 50);
    await model.closed.finally(() => {
      clearInterval(pinging);
    });
    expect(await watcher.ended(generation.id)).toMatchObject({
      type: 'generation.failed',
      generation: { error: { code: 'idle_timeout', provider: 'anthropic' } },
      message: { text: 'and then', status: 'partial' },
    });
  });

  test('runs out for a model that does not begin, whatever it sends instead', async () => {
    const { model, generation, watcher } = await askWatched({ firstTokenTimeoutMs: 300 });
    model.start();
    const pinging = setInterval(() => model.ping(), 50);
    await model.closed.finally(() => {
      clearInterval(pinging);
    });
    expect(await watcher.ended(generation.id)).toMatchObject({
      type: 'generation.failed',
      generation: {
        error: {
          code: 'idle_timeout',
          message: 'The model did not begin to answer in time.',
          provider: 'anthropic',
        },
      },
      message: null,
    });
    expect(watcher.of('generation.warning')).toEqual([]);
  });

  test('for the beginning is not that for a silence behind it', async () => {
    const { model, generation, watcher } = await askWatched({
      firstTokenTimeoutMs: 60_000,
      idleTimeoutMs: 200,
    });
    const silentSince = performance.now();
    model.start();
    await new Promise<void>((resolve) => {
      const pinging = setInterval(() => {
        model.ping();
        if (performance.now() - silentSince < 600) return;
        clearInterval(pinging);
        resolve();
      }, 50);
    });
    model.text('At last');
    await model.closed;
    expect(await watcher.ended(generation.id)).toMatchObject({
      generation: { error: { code: 'idle_timeout', message: 'The model was silent for too long.' } },
      message: { text: 'At last', status: 'partial' },
    });
  });

  test('for the beginning is for all tries together', async () => {
    const { model, generation, watcher, prompt } = await askWatched({ firstTokenTimeoutMs: 1500 });
    model.fail(529, undefined, { 'retry-after-ms': '10' });
    const again = await scene.modelFor(prompt.text);
    // It would have to be waited for longer than there is time.
    again.fail(529, undefined, { 'retry-after': '5' });
    expect(await watcher.ended(generation.id)).toMatchObject({
      generation: { error: { code: 'provider_overloaded', statusCode: 529 } },
    });
    expect(watcher.of('generation.warning').map(({ code }) => code)).toEqual(['retrying']);
  });

  test('does not run out for a model that is slow', async () => {
    const { model, generation, watcher } = await askWatched({ idleTimeoutMs: 1500 });
    for (let i = 0; i < 5; i += 1) {
      model.text('.');
      await sleep(500);
    }
    model.stop();
    expect(await watcher.ended(generation.id)).toMatchObject({
      message: { text: '.....', status: 'complete' },
    });
  });

  test('runs out for a generation as a whole, however much the model talks', async () => {
    const { model, generation, watcher } = await askWatched({ timeoutMs: 700 });
    const talking = setInterval(() => model.text('la '), 20);
    await model.closed.finally(() => {
      clearInterval(talking);
    });
    const end = await watcher.ended(generation.id);
    expect(end).toMatchObject({ type: 'generation.failed', generation: { error: { code: 'timeout' } } });
    expect(end.message?.text).toMatch(/^(la )+$/);
    expect(watcher.written(generation.id)).toBe(end.message?.text);
  });
});

describe('text that Postgres or a browser cannot take', () => {
  const [high, low] = ['\ud83e', '\uddf5'];

  test.each<[string, string[], string]>([
    ['NUL', ['a\0b', '\0'], 'a\uFFFDb\uFFFD'],
    ['a pair that was cut', ['a', high, `${low}b`], 'a🧵b'],
    ['a pair that was cut across three pieces', [`a${high}`, '', `${low}b`], 'a🧵b'],
    ['a low half alone', [`a${low}b`], 'a\uFFFDb'],
    ['a high half alone', [`a${high}`, 'b'], 'a\uFFFDb'],
  ])('is made whole: %s', async (_, said, expected) => {
    const { model, generation, watcher } = await askWatched();
    for (const piece of said) model.text(piece);
    model.stop();
    const end = await watcher.ended(generation.id);
    expect(end.message?.text).toBe(expected);
    expect(watcher.written(generation.id)).toBe(expected);
    expect((await ada.http.getGeneration(generation.id)).text).toBe(expected);
  });

  test('is made whole at the end, where half a pair never came', async () => {
    const { model, generation, watcher } = await askWatched();
    model.text(`end${high}`).stop();
    const end = await watcher.ended(generation.id);
    expect(end.message?.text).toMatch(/^end\uFFFD?$/);
    expect(watcher.written(generation.id)).toBe(end.message?.text);
  });
});
