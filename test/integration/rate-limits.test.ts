import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Generation } from '../../src/client/index.js';
import { startOpenaiUpstream, type ChatRequest } from '../support/openai-upstream.js';
import type { Person } from '../support/person.js';
import { openScene, type Scene } from '../support/scene.js';
import type { ScriptedServer } from '../support/upstream-server.js';

/**
 * What a provider tells of its limits, over two workers. Of a short hold only its end is looked at, which may come as late
 * as it likes; what holds during one is looked at during a long one.
 */

let scene: Scene;
let ada: Person;
let openai: ScriptedServer<ChatRequest>;

beforeAll(async () => {
  openai = await startOpenaiUpstream();
  scene = await openScene({
    workers: 2,
    env: { OPENAI_API_KEY: 'test', OPENAI_BASE_URL: `${openai.url}/v1` },
  });
  ({ ada } = scene);
});

afterAll(async () => {
  await scene.close();
  await openai.close();
});

const left = (of: 'requests' | 'output-tokens', remaining: number, resetInMs: number) => ({
  [`anthropic-ratelimit-${of}-remaining`]: String(remaining),
  [`anthropic-ratelimit-${of}-reset`]: new Date(Date.now() + resetInMs).toISOString(),
});

async function askAbout(prompt: string): Promise<Generation> {
  return (await ada.ask(await ada.converse(), prompt)).generation;
}

/** Asks OpenAI, sees the answer to its end. */
async function askOpenai(): Promise<Generation> {
  const { generation } = await ada.ask(await ada.converse(), 'And you?', { model: 'gpt-4.1-mini' });
  (await openai.nextRequest()).start().text('At once.').stop();
  return ada.ended(generation.id);
}

async function heldSeconds(worker: number): Promise<number> {
  const metrics = await (await fetch(`${scene.system.worker(worker).url}/metrics`)).text();
  return Number(/^tokencast_provider_held_seconds\{provider="anthropic"\} (\S+)$/m.exec(metrics)?.[1]);
}

test.each(['requests', 'output-tokens'] as const)(
  'while nothing is left of the %s nothing is sent, and what was asked goes on after the reset',
  async (of) => {
    const { model, generation } = await scene.ask();
    const resetAtMs = performance.now() + 1500;
    model
      .start({ headers: left(of, 0, 1500) })
      .text('The last one.')
      .stop();
    await ada.ended(generation.id);
    const prompts = ['apples', 'pears', 'plums', 'figs'].map((fruit) => `${fruit}, ${of}`);
    const waiting = await Promise.all(prompts.map(askAbout));
    for (const request of await Promise.all(prompts.map((prompt) => scene.modelFor(prompt)))) {
      expect(request.receivedAtMs).toBeGreaterThan(resetAtMs - 50);
      request
        .start({ headers: left(of, 90, 1000) })
        .text('Here it is.')
        .stop();
    }
    for (const { id } of waiting)
      expect(await ada.ended(id)).toMatchObject({ status: 'completed', text: 'Here it is.', attempt: 1 });
    expect(await heldSeconds(0)).toBe(0);
  },
);

test('of several that ask at once only as many go as are left', async () => {
  const { model, generation } = await scene.ask();
  model
    .start({ headers: left('requests', 1, 60_000) })
    .text('One is left.')
    .stop();
  await ada.ended(generation.id);
  const sent = scene.upstream.requests.length;
  const waiting = await Promise.all(['rain', 'snow', 'hail'].map((weather) => askAbout(weather)));
  const one = await scene.upstream.nextRequest();
  await askOpenai();
  expect(scene.upstream.requests).toHaveLength(sent + 1);

  one
    .start({ headers: left('requests', 40, 60_000) })
    .text('Wet.')
    .stop();
  for (let i = 0; i < 2; i += 1) (await scene.upstream.nextRequest()).text('Wet.').stop();
  for (const { id } of waiting) expect(await ada.ended(id)).toMatchObject({ text: 'Wet.', attempt: 1 });
});

test('who waits for the answer of an identical request takes nothing off what is left', async () => {
  const { model, generation } = await scene.ask();
  model
    .start({ headers: left('requests', 2, 60_000) })
    .text('Two are left.')
    .stop();
  await ada.ended(generation.id);
  const twins = await Promise.all(
    [1, 2].map(async () => (await ada.ask(await ada.converse(), 'moon', { cache: true })).generation),
  );
  for (const { id } of twins)
    await expect.poll(async () => (await ada.http.getGeneration(id)).status).toBe('running');
  const one = await scene.modelFor('moon');
  const other = await askAbout('stars');
  (await scene.modelFor('stars')).text('Many.').stop();
  expect(await ada.ended(other.id)).toMatchObject({ text: 'Many.', attempt: 1 });

  one
    .start({ headers: left('requests', 40, 60_000) })
    .text('Round.')
    .stop();
  const told = await Promise.all(twins.map(({ id }) => ada.ended(id)));
  expect(told.map(({ text }) => text)).toEqual(['Round.', 'Round.']);
  expect(told.map(({ cached }) => cached).toSorted()).toEqual([false, true]);
});

test('an answer that has begun waits for its next round, of which the room is told, and can be cancelled', async () => {
  const asked = await scene.ask({ options: { tools: ['calculator'] } });
  const watcher = ada.socket(asked.conversationId);
  await watcher.connect();
  asked.model
    .start({ headers: left('requests', 0, 60_000) })
    .call('toolu_1', 'calculator', '{"expression":"2+2"}')
    .stop({ stopReason: 'tool_use' });
  const { message } = await watcher.waitFor('generation.warning', ({ code }) => code === 'rate_limited');
  expect(message).toMatch(/^Anthropic takes nothing more for \d\d s\.$/);
  await ada.http.cancelGeneration(asked.generation.id);
  expect(await watcher.ended(asked.generation.id)).toMatchObject({ generation: { status: 'cancelled' } });
});

test('meanwhile what others ask stays in the queue, whichever worker is free, and another provider answers', async () => {
  const sent = scene.upstream.requests.length;
  const waiting = await Promise.all(['red', 'blue', 'green', 'white'].map((colour) => askAbout(colour)));
  expect(await askOpenai()).toMatchObject({ status: 'completed', text: 'At once.' });
  expect(scene.upstream.requests).toHaveLength(sent);
  for (const { id } of waiting) {
    expect(await ada.http.getGeneration(id)).toMatchObject({ status: 'queued', attempt: 0 });
    await ada.http.cancelGeneration(id);
  }
  expect(await heldSeconds(0)).toBeGreaterThan(0);
  expect(await heldSeconds(1)).toBeGreaterThan(0);
});

test('an answer that has no time to wait for its next round fails at once', async () => {
  const { generation } = await ada.ask(await ada.converse(), 'What is 2+2?', {
    model: 'gpt-4.1-mini',
    tools: ['calculator'],
    timeoutMs: 50_000,
  });
  const headers = { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '1m30s' };
  (await openai.nextRequest())
    .start({ headers })
    .call('call_1', 'calculator', '{"expression":"2+2"}')
    .stop({ stopReason: 'tool_use' });
  expect(await ada.ended(generation.id)).toMatchObject({
    status: 'failed',
    error: { code: 'provider_rate_limited', provider: 'openai' },
  });
});
