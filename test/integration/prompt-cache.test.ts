import { afterAll, beforeAll, expect, test } from 'vitest';
import { openScene, type Scene } from '../support/scene.js';
import type { UpstreamBody, UpstreamRequest } from '../support/upstream.js';

let scene: Scene;

beforeAll(async () => {
  scene = await openScene({ env: { CONVERSATION_BUDGET_USD: '5' } });
});

afterAll(() => scene.close());

const system = `You know this by heart: ${'the tide comes in. '.repeat(400)}`;
const marker = { cache_control: { type: 'ephemeral' } };

/** The places that are marked, in the request as it came to the model. */
const marked = ({ system: told, messages }: UpstreamBody) =>
  [
    ...(Array.isArray(told) ? told : []),
    ...messages.flatMap(({ content }) => (Array.isArray(content) ? content : [])),
  ]
    .filter((block) => 'cache_control' in block)
    .map(({ text = '', cache_control: control }) => ({ text: text.slice(0, 12), cache_control: control }));

const say = (model: UpstreamRequest, text: string) => {
  model.text(text).stop({ outputTokens: 10 });
};

test('a conversation marks what its next call begins with, and pays what the cache costs', async () => {
  const { ada } = scene;
  const conversationId = await ada.converse({ system });
  const ask = async (question: string) => {
    const { generation } = await ada.ask(conversationId, question);
    return { generation, model: await scene.modelFor(question) };
  };

  const first = await ask('First, the sea');
  expect(marked(first.model.body)).toEqual([{ text: 'You know thi', ...marker }]);
  say(first.model, 'It is wide.');
  await ada.ended(first.generation.id);

  const second = await ask('Second, the moon');
  expect(marked(second.model.body)).toEqual([
    { text: 'You know thi', ...marker },
    { text: 'First, the s', ...marker },
    { text: 'Second, the ', ...marker },
  ]);
  second.model.start({
    usage: { input_tokens: 20, cache_read_input_tokens: 4000, cache_creation_input_tokens: 300 },
  });
  say(second.model, 'It is round.');
  const ended = await ada.ended(second.generation.id);
  expect(ended.usage).toEqual({
    inputTokens: 20,
    outputTokens: 10,
    cacheReadInputTokens: 4000,
    cacheCreationInputTokens: 300,
  });
  // Claude Sonnet 4.5: $3 to read a million tokens, a tenth of it from the cache, a quarter more into it; $15 to write.
  expect(ended.costUsd).toBeCloseTo((20 * 3 + 4000 * 0.3 + 300 * 3.75 + 10 * 15) / 1e6, 10);
  expect(ended.budget?.spentUsd).toBeGreaterThan(ended.costUsd ?? Infinity);

  const third = await ask('Third, the wind');
  expect(marked(third.model.body).map(({ text }) => text)).toEqual([
    'You know thi',
    'Second, the ',
    'Third, the w',
  ]);
  say(third.model, 'It is loud.');
  await ada.ended(third.generation.id);
});

test('a short conversation is sent without markers', async () => {
  const { ada } = scene;
  const conversationId = await ada.converse({
    messages: [
      { role: 'user', content: 'Hello.' },
      { role: 'assistant', content: 'Hello.' },
    ],
  });
  const { model, generation } = await scene.ask({ conversationId });
  expect(marked(model.body)).toEqual([]);
  say(model, 'Yes.');
  await ada.ended(generation.id);
});
