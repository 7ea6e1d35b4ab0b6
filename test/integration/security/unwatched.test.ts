import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RoomClient } from '../../support/clients.js';
import { openScene, type Scene } from '../../support/scene.js';

/** `onUnwatched: {cancelAfterMs}`: an answer that nobody watches is not paid for. */

let scene: Scene;
const cancelAfterMs = 1500;
const options = { onUnwatched: { cancelAfterMs } };

beforeAll(async () => {
  scene = await openScene({ apis: 2 });
});
afterAll(() => scene.close());

/** Resolves when another answer, begun now, has been given up because nobody watched it. */
async function pastPatience(): Promise<void> {
  const { model } = await scene.ask({ options });
  await model.closed;
}

test('a generation that nobody has ever watched is cancelled, and its model left', async () => {
  const { generation, model } = await scene.ask({ options });
  model.text('unheard');
  await model.closed;
  const stream = scene.ada.generationStream(generation.id);
  await stream.connect();
  const { generation: ended, message } = await stream.ended(generation.id);
  expect(ended).toMatchObject({ status: 'cancelled', stopReason: 'unwatched', error: null });
  expect(message).toMatchObject({ text: 'unheard', status: 'partial' });
});

describe.each<{ name: string; clientOf: (conversationId: string, generationId: string) => RoomClient }>([
  { name: 'a socket', clientOf: (id) => scene.ada.via(scene.system.api(1)).socket(id) },
  { name: 'an event stream', clientOf: (id) => scene.ada.eventStream(id) },
  { name: 'an event stream of the generation alone', clientOf: (_, id) => scene.ada.generationStream(id) },
])('$name', ({ clientOf }) => {
  test('keeps it going while it watches, and no longer', async () => {
    const { conversationId, generation, model } = await scene.ask({ options });
    const client = clientOf(conversationId, generation.id);
    await client.connect();
    await pastPatience();
    model.text('heard');
    await client.waitFor('generation.chunk', ({ chunk }) => chunk.type === 'content_block_delta');
    const left = performance.now();
    client.drop();
    expect((await model.closed) - left).toBeGreaterThan(cancelAfterMs);
    expect((await scene.ada.ended(generation.id)).stopReason).toBe('unwatched');
  });
});

test('whoever waits for the answer watches it', async () => {
  const conversationId = await scene.ada.converse();
  const body = { content: 'wait for it', generate: options };
  const path = `/v1/conversations/${conversationId}/messages`;
  const answer = scene.ada.call('POST', path, body, { headers: { prefer: 'wait=30' } });
  const model = await scene.modelFor('wait for it');
  await pastPatience();
  model.text('waited for').stop();
  expect(await answer).toMatchObject({
    status: 200,
    body: { generation: { status: 'completed', text: 'waited for' } },
  });
});

test('without the option an answer goes on for nobody', async () => {
  const { generation, model } = await scene.ask();
  await pastPatience();
  model.text('alone').stop();
  expect(await scene.ada.ended(generation.id)).toMatchObject({ status: 'completed', text: 'alone' });
});

test('the worker counts ends by status and reason, and says why', async () => {
  const { generation, model } = await scene.ask({ options: { onUnwatched: { cancelAfterMs: 0 } } });
  await model.closed;
  expect((await scene.ada.ended(generation.id)).stopReason).toBe('unwatched');
  const { output, url } = scene.system.worker();
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toMatch(
    /^tokencast_generations_ended_total\{status="cancelled",reason="unwatched"\} \d+$/m,
  );
  expect(metrics).toMatch(/^tokencast_generations_ended_total\{status="completed",reason="end_turn"\} \d+$/m);
  const line = output.find((entry) => entry.includes(generation.id) && entry.includes('"interrupted"'));
  expect(JSON.parse(line ?? '{}')).toMatchObject({
    status: 'cancelled',
    reason: 'unwatched',
    chunks: 0,
    characters: 0,
    elapsedMs: expect.any(Number) as unknown,
  });
});
