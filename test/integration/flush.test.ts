import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Person } from '../support/person.js';
import { openScene, type Scene } from '../support/scene.js';

/** How text is joined before it reaches the room. */

let scene: Scene;
let ada: Person;

beforeAll(async () => {
  scene = await openScene({ env: { SHUTDOWN_GRACE_MS: '100' } });
  ({ ada } = scene);
});

afterAll(() => scene.close());

async function askWatched(options: Parameters<Person['ask']>[2], conversationId?: string) {
  const id = conversationId ?? (await ada.converse());
  const watcher = ada.socket(id);
  await watcher.connect();
  const asked = await scene.ask({ conversationId: id, options });
  /** The text deltas so far, with their sentences. */
  const deltas = () =>
    watcher
      .of('generation.chunk')
      .flatMap(({ chunk, sentenceIndex }) =>
        chunk.type === 'content_block_delta' && chunk.delta.type === 'text_delta'
          ? [{ text: chunk.delta.text, sentenceIndex }]
          : [],
      );
  return { ...asked, watcher, deltas };
}

describe('by sentence', () => {
  const options = { flush: { by: 'sentence' } } as const;

  test('every text is a sentence with its number, abbreviations and code in one piece', async () => {
    const { model, generation, watcher, deltas } = await askWatched(options);
    for (const piece of [
      'Dr. ',
      'Smith pa',
      'id 3.',
      '14 to a.b',
      '.example. He',
      ' left:\n\n```ts\n',
      'a. B;\n',
      'c();\n```',
      '\nEn',
    ])
      model.text(piece);
    await watcher.until(() => deltas().length === 3);
    model.text('d').stop();
    const end = await watcher.ended(generation.id);
    expect(deltas()).toEqual([
      { text: 'Dr. Smith paid 3.14 to a.b.example. ', sentenceIndex: 0 },
      { text: 'He left:\n\n', sentenceIndex: 1 },
      { text: '```ts\na. B;\nc();\n```\n', sentenceIndex: 2 },
      { text: 'End', sentenceIndex: 3 },
    ]);
    expect(end.message?.text).toBe(
      deltas()
        .map(({ text }) => text)
        .join(''),
    );
  });

  test('what waits is sent when the answer fails', async () => {
    const { model, generation, watcher, deltas } = await askWatched({ ...options, timeoutMs: 800 });
    model.text('One. Two and');
    expect(await watcher.ended(generation.id)).toMatchObject({
      type: 'generation.failed',
      message: { text: 'One. Two and' },
    });
    expect(deltas()).toEqual([
      { text: 'One. ', sentenceIndex: 0 },
      { text: 'Two and', sentenceIndex: 1 },
    ]);
  });

  test('what waits is kept when the answer is cancelled', async () => {
    const { model, generation, watcher, deltas } = await askWatched(options);
    model.text('One. Two and');
    await watcher.until(() => deltas().length === 1);
    await ada.http.cancelGeneration(generation.id);
    expect(await watcher.ended(generation.id)).toMatchObject({
      type: 'generation.cancelled',
      message: { text: 'One. Two and', status: 'partial' },
    });
  });

  test('what waits is sent before a call of a tool', async () => {
    const { model, generation, watcher } = await askWatched(options);
    model.text('Let me look').call('call_1', 'clock', '{}').stop({ stopReason: 'tool_use' });
    await watcher.ended(generation.id);
    const types = watcher.of('generation.chunk').map(({ chunk }) => chunk.type);
    expect(types.slice(0, 5)).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'content_block_start',
    ]);
  });

  test('a worker that takes over counts on and repeats nothing', async () => {
    const { model, generation, watcher, deltas, prompt } = await askWatched(options);
    model.text('One. Two and');
    await watcher.until(() => deltas().length === 1);
    scene.system.worker().kill('SIGTERM');
    await scene.system.worker().exited();
    await scene.system.worker().start();
    const again = await scene.modelFor(prompt.text);
    again.text(' a half. Three.').stop();
    const end = await watcher.ended(generation.id);
    expect(end.message?.text).toBe('One. Two and a half. Three.');
    const sentences: string[] = [];
    for (const { text, sentenceIndex = -1 } of deltas())
      sentences[sentenceIndex] = (sentences[sentenceIndex] ?? '') + text;
    expect(sentences).toEqual(['One. ', 'Two and a half. ', 'Three.']);
  });
});

describe('by size', () => {
  test('text goes once there is enough of it', async () => {
    const { model, generation, watcher, deltas } = await askWatched({
      flush: { by: 'size', characters: 10 },
    });
    for (let i = 0; i < 7; i += 1) model.text('abcd');
    await watcher.until(() => deltas().length >= 1);
    model.stop();
    const end = await watcher.ended(generation.id);
    const texts = deltas().map(({ text }) => text);
    expect(texts.join('')).toBe('abcd'.repeat(7));
    expect(end.message?.text).toBe('abcd'.repeat(7));
    for (const text of texts.slice(0, -1)) expect(text.length).toBeGreaterThanOrEqual(10);
    expect(deltas().every(({ sentenceIndex }) => sentenceIndex === undefined)).toBe(true);
  });
});

describe('by time', () => {
  test('the first text does not wait, and what waits is kept when the answer is cancelled', async () => {
    const { model, generation, watcher, deltas } = await askWatched({ flush: { by: 'time', ms: 60_000 } });
    model.text('At once');
    await watcher.until(() => deltas().length === 1);
    model.text(' and later');
    await watcher.waitFor('generation.progress', ({ metrics }) => metrics.words === 4);
    expect(deltas()).toEqual([{ text: 'At once', sentenceIndex: undefined }]);
    await ada.http.cancelGeneration(generation.id);
    expect((await watcher.ended(generation.id)).message?.text).toBe('At once and later');
  });
});

test.each([
  [{ by: 'size' }],
  [{ by: 'size', characters: 0 }],
  [{ by: 'size', characters: 1.5 }],
  [{ by: 'size', characters: 100_001 }],
  [{ by: 'sentence', ms: 5 }],
  [{ by: 'word' }],
  [{}],
])('a wish that makes no sense is refused: %j', async (flush) => {
  const id = await ada.converse();
  const { status, body } = await ada.call<{ code: string }>('POST', `/v1/conversations/${id}/messages`, {
    content: 'hello',
    generate: { flush },
  });
  expect([status, body.code]).toEqual([400, 'invalid_request']);
});
