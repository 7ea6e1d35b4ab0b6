import { afterAll, beforeAll, expect, test } from 'vitest';
import { openScene, type Scene } from '../support/scene.js';

let scene: Scene;

beforeAll(async () => {
  scene = await openScene();
});

afterAll(() => scene.close());

test('whoever watches is told how far an answer is, and nothing of it is logged', async () => {
  const asked = await scene.ask({ options: { maxTokens: 100 } });
  const socket = scene.ada.socket(asked.conversationId);
  await socket.connect();
  for (let i = 0; i < 20; i++) asked.model.text(i === 0 ? '## The plan\n' : 'word ');
  const progress = await socket.waitFor('generation.progress', ({ metrics }) => metrics.words >= 22);
  expect(progress).toMatchObject({
    generationId: asked.generation.id,
    stage: 'The plan',
    metrics: { words: 22, characters: 107, durationMs: expect.any(Number) as number },
    estimatedOutputTokens: 27,
    estimatedPercent: 27,
  });
  expect(progress.cursor).toBeUndefined();
  asked.model.stop();
  await socket.ended(asked.generation.id);
});

test('what is told is everything that can be counted, and what is being written', async () => {
  const asked = await scene.ask({ options: { maxTokens: 1000 } });
  const socket = scene.ada.socket(asked.conversationId);
  await socket.connect();
  const pieces = ['Here it is.\n', '```ts\n', 'export class PdfMerger {\n', '  merge() {}\n'];
  for (const piece of pieces) asked.model.text(piece);
  const text = pieces.join('');
  await socket.waitFor('generation.progress', ({ metrics }) => metrics.characters === text.length);
  // Rates are those of some time in which text came.
  asked.model.text('}\n```\n');
  const { metrics, stage, estimatedOutputTokens, estimatedPercent } = await socket.waitFor(
    'generation.progress',
    (told) => told.metrics.chunks === 5,
  );
  expect(stage).toBe('class PdfMerger');
  const characters = text.length + 6;
  expect(metrics).toMatchObject({ chunks: 5, characters, words: 12 });
  expect(metrics.queuedMs).toBeGreaterThanOrEqual(0);
  expect(metrics.firstTokenMs).toBeGreaterThan(0);
  expect(metrics.durationMs).toBeGreaterThanOrEqual(metrics.firstTokenMs ?? Infinity);
  const { charactersPerSecond, tokensPerSecond } = metrics;
  expect(charactersPerSecond).toBeGreaterThan(0);
  expect(tokensPerSecond).toBeGreaterThan(0);
  expect(tokensPerSecond).toBeLessThan(charactersPerSecond ?? 0);
  expect(estimatedOutputTokens).toBe(Math.ceil(characters / 4));
  expect(estimatedPercent).toBe(Math.floor(estimatedOutputTokens / 10));
  asked.model.stop();
  await socket.ended(asked.generation.id);
});

test('several listen to one generation, each to all of it, and one that leaves takes nothing from the others', async () => {
  const asked = await scene.ask();
  const { id } = asked.generation;
  const socket = scene.ada.socket(asked.conversationId);
  const room = scene.ada.eventStream(asked.conversationId);
  const own = scene.ada.generationStream(id);
  const leaving = scene.ada.generationStream(id);
  const all = [socket, room, own, leaving];
  await Promise.all(all.map((each) => each.connect()));
  asked.model.text('For all of them. ');
  await Promise.all(
    all.map((each) => each.waitFor('generation.progress', ({ metrics }) => metrics.chunks === 1)),
  );
  leaving.drop();
  asked.model.text('For those who stayed.').stop();
  for (const each of [socket, room, own]) {
    await each.ended(id);
    expect(each.written(id)).toBe('For all of them. For those who stayed.');
    expect(each.of('generation.completed')).toHaveLength(1);
  }
});

test('the room is warned once when an answer comes near the length at which it is cut off', async () => {
  const asked = await scene.ask({ options: { maxTokens: 10 } });
  const stream = scene.ada.eventStream(asked.conversationId);
  await stream.connect();
  asked.model.text('x'.repeat(32));
  await stream.until(() => stream.written(asked.generation.id).length === 32);
  expect(stream.of('generation.warning')).toEqual([]);
  asked.model.text('yyyy');
  await stream.waitFor('generation.warning', ({ code }) => code === 'near_token_limit');
  asked.model.text('zzzz').stop({ stopReason: 'max_tokens' });
  expect((await stream.ended(asked.generation.id)).generation.stopReason).toBe('max_tokens');
  expect(stream.of('generation.warning')).toHaveLength(1);
});
