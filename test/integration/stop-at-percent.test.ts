import { afterAll, beforeAll, expect, test } from 'vitest';
import { openScene, type Scene } from '../support/scene.js';

/** `stopAtPercent`: the run ends at a share of `maxTokens`, as it would at all of them. A token is four characters. */

let scene: Scene;

beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.close());

test('an answer ends whole at the share that was asked for, and can be continued from there', async () => {
  const asked = await scene.ask({ options: { maxTokens: 100, stopAtPercent: 50 } });
  const { conversationId, generation, model, prompt } = asked;
  expect(model.body.max_tokens).toBe(100);
  const watcher = scene.ada.socket(conversationId);
  await watcher.connect();
  model.start({ inputTokens: 1000 }).text('x'.repeat(196));
  await watcher.until(() => watcher.written(generation.id).length === 196);
  model.text('yyyy').text('never read');
  await model.closed;
  const end = await watcher.ended(generation.id);
  expect(end).toMatchObject({
    type: 'generation.completed',
    generation: {
      status: 'completed',
      stopReason: 'max_tokens',
      options: { stopAtPercent: 50 },
      usage: { inputTokens: 1000, outputTokens: 50 },
      error: null,
    },
    message: { status: 'complete', text: `${'x'.repeat(196)}yyyy` },
  });
  expect(watcher.written(generation.id)).toBe(end.message?.text);
  expect(
    watcher
      .of('generation.chunk')
      .map(({ chunk }) => chunk.type)
      .slice(-3),
  ).toEqual(['content_block_stop', 'message_delta', 'message_stop']);

  const { generation: continued } = await scene.ada.http.continueGeneration(generation.id);
  const again = await scene.modelFor(prompt.text);
  again.text('z'.repeat(200));
  await again.closed;
  expect(await scene.ada.ended(continued.id)).toMatchObject({
    status: 'completed',
    stopReason: 'max_tokens',
    messageId: generation.messageId,
    text: `${'x'.repeat(196)}yyyy${'z'.repeat(200)}`,
  });
});

test('what was written before a break counts', async () => {
  const { generation, model, prompt, conversationId } = await scene.ask({
    options: { maxTokens: 100, stopAtPercent: 50 },
  });
  const watcher = scene.ada.socket(conversationId);
  await watcher.connect();
  model.text('x'.repeat(160));
  await watcher.until(() => watcher.written(generation.id).length === 160);
  model.cut();
  const again = await scene.modelFor(prompt.text);
  again.text('y'.repeat(40));
  await again.closed;
  expect(await scene.ada.ended(generation.id)).toMatchObject({
    status: 'completed',
    stopReason: 'max_tokens',
    text: 'x'.repeat(160) + 'y'.repeat(40),
  });
});

test('an answer that is shorter ends by itself', async () => {
  const { generation, model } = await scene.ask({ options: { maxTokens: 100, stopAtPercent: 100 } });
  model.text('short').stop();
  expect(await scene.ada.ended(generation.id)).toMatchObject({ stopReason: 'end_turn', text: 'short' });
});

test.each([0, 101, 50.5, '50'])('a share of %j is refused', async (stopAtPercent) => {
  const conversationId = await scene.ada.converse();
  const body = { content: 'hello', generate: { stopAtPercent } };
  const answer = await scene.ada.call('POST', `/v1/conversations/${conversationId}/messages`, body);
  expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
});
