import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HtmlBlock } from '../../src/client/index.js';
import type { GenerationOptions } from '../../src/domain/generation.js';
import type { RoomClient } from '../support/clients.js';
import type { Person } from '../support/person.js';
import { openScene, type Scene } from '../support/scene.js';

/** Answers that the worker renders. */

let scene: Scene;
let ada: Person;

beforeAll(async () => {
  scene = await openScene({ env: { SHUTDOWN_GRACE_MS: '100' } });
  ({ ada } = scene);
});

afterAll(() => scene.close());

const answer =
  '# Plan\n\nSome <b>*text*</b>.\n\n```ts\nlet a = 1 < 2;\n```\n\n- one\n- two\n\nThe [end](javascript:x)';
const rendered: [string | null, string][] = [
  [null, '<h1>Plan</h1>\n'],
  [null, '<p>Some &lt;b&gt;<em>text</em>&lt;/b&gt;.</p>\n'],
  [
    'ts',
    '<pre><code class="hljs language-ts"><span class="hljs-keyword">let</span> a = ' +
      '<span class="hljs-number">1</span> &lt; <span class="hljs-number">2</span>;\n</code></pre>\n',
  ],
  [null, '<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n'],
  [null, '<p>The [end](javascript:x)</p>\n'],
];
const blocks: HtmlBlock[] = rendered.map(([language, html], block) => ({
  block,
  language,
  html,
  done: true,
}));

async function askWatched(options: GenerationOptions = {}) {
  const conversationId = await ada.converse();
  const watcher = ada.socket(conversationId);
  await watcher.connect();
  const asked = await scene.ask({ conversationId, options: { render: 'html', ...options } });
  return { ...asked, watcher, nextModel: () => scene.modelFor(asked.prompt.text) };
}

/** The blocks that the log has told of as done, in its order. */
const doneOf = (watcher: RoomClient): HtmlBlock[] =>
  watcher
    .of('generation.html')
    .filter(({ done }) => done)
    .map(({ block, language, html, done }) => ({ block, language, html, done }));

/** The blocks as a client holds them. */
const heldBy = (watcher: RoomClient, generationId: string) =>
  watcher.state?.ended.get(generationId)?.html ??
  watcher.state?.generations.find(({ id }) => id === generationId)?.html;

test('an answer is rendered block by block while it is written; what is done is logged, the rest is not', async () => {
  const { model, generation, watcher } = await askWatched();
  for (const piece of answer.match(/[^]{1,7}/g) ?? []) model.text(piece);
  await watcher.waitFor('generation.html', ({ done }) => !done);
  model.stop();
  await watcher.ended(generation.id);
  expect(doneOf(watcher)).toEqual(blocks);
  expect(heldBy(watcher, generation.id)).toEqual(blocks);
  for (const { done, cursor } of watcher.of('generation.html')) expect(cursor !== undefined).toBe(done);
  expect(watcher.written(generation.id)).toBe(answer);
});

test('a block is shown while it grows, without its mark being closed', async () => {
  const { model, generation, watcher } = await askWatched();
  model.text('It is **bo');
  expect(await watcher.waitFor('generation.html')).toMatchObject({
    generationId: generation.id,
    block: 0,
    language: null,
    html: '<p>It is <strong>bo</strong></p>\n',
    done: false,
  });
  model.text('ld**');
  await watcher.waitFor('generation.html', ({ html }) => html.includes('bold'));
  model.stop();
  await watcher.ended(generation.id);
});

test('whoever joins gets the blocks, the one that is being written too; also after the end', async () => {
  const { model, generation, watcher, conversationId } = await askWatched();
  model.text('one\n\ntwo\n\nthr');
  await watcher.waitFor('generation.html', ({ html }) => html.includes('thr'));
  const late = ada.eventStream(conversationId);
  await late.connect();
  expect(heldBy(late, generation.id)).toEqual([
    { block: 0, language: null, html: '<p>one</p>\n', done: true },
    { block: 1, language: null, html: '<p>two</p>\n<p>thr</p>\n', done: false },
  ]);
  model.text('ee').stop();
  await late.ended(generation.id);
  const whole = ['one', 'two', 'three'].map((text, block) => ({
    block,
    language: null,
    html: `<p>${text}</p>\n`,
    done: true,
  }));
  expect(heldBy(late, generation.id)).toEqual(whole);
  expect(heldBy(watcher, generation.id)).toEqual(whole);
  const after = ada.generationStream(generation.id);
  await after.connect();
  const { snapshot } = await after.waitFor('snapshot');
  expect('generation' in snapshot && snapshot.generation.html).toEqual(whole);
});

test('whoever comes back gets what was done meanwhile', async () => {
  const { model, generation, watcher } = await askWatched();
  model.text('one\n\n');
  await watcher.waitFor('generation.chunk', ({ chunk }) => chunk.type === 'content_block_delta');
  watcher.drop();
  model.text('two\n\nthree').stop();
  await ada.ended(generation.id);
  await watcher.connect();
  expect(watcher.ack?.resumed).toBe(true);
  await watcher.ended(generation.id);
  expect(heldBy(watcher, generation.id)?.map(({ html }) => html)).toEqual([
    '<p>one</p>\n',
    '<p>two</p>\n',
    '<p>three</p>\n',
  ]);
});

describe('an answer that', () => {
  test('another worker takes over has each block once', async () => {
    const { model, generation, watcher, nextModel } = await askWatched();
    const [first, second] = [answer.slice(0, 60), answer.slice(60)];
    model.text(first);
    await watcher.until(() => doneOf(watcher).length === 2);
    await scene.system.worker().end();
    await scene.system.worker().start();
    (await nextModel()).text(second).stop();
    await watcher.ended(generation.id);
    expect(doneOf(watcher)).toEqual(blocks);
    expect(heldBy(watcher, generation.id)).toEqual(blocks);
  });

  test('is handed over has each block once', async () => {
    const { model, generation, watcher, nextModel } = await askWatched();
    model.text(answer.slice(0, 60));
    await watcher.until(() => doneOf(watcher).length === 2);
    scene.system.worker().kill('SIGTERM');
    await scene.system.worker().exited();
    await scene.system.worker().start();
    (await nextModel()).text(answer.slice(60)).stop();
    await watcher.ended(generation.id);
    expect(doneOf(watcher)).toEqual(blocks);
  });

  test('starts over begins with block 0', async () => {
    const { model, generation, watcher, nextModel } = await askWatched({ onCrash: 'restart' });
    model.text('wrong\n\nwronger\n\nthe wrongest');
    await watcher.until(() => doneOf(watcher).length === 1);
    model.cut();
    const again = await nextModel();
    again.text('right');
    await watcher.until(() => heldBy(watcher, generation.id)?.[0]?.html === '<p>right</p>\n');
    expect(heldBy(watcher, generation.id)).toHaveLength(1);
    again.stop();
    await watcher.ended(generation.id);
    const late = ada.generationStream(generation.id);
    await late.connect();
    const { snapshot } = await late.waitFor('snapshot');
    expect('generation' in snapshot && snapshot.generation.html).toEqual([
      { block: 0, language: null, html: '<p>right</p>\n', done: true },
    ]);
  });

  test('is cancelled keeps the block that was being written, as it stood', async () => {
    const { model, generation, watcher } = await askWatched();
    model.text('one\n\ntwo');
    await watcher.waitFor('generation.html', ({ html }) => html.includes('two'));
    await ada.http.cancelGeneration(generation.id);
    await watcher.ended(generation.id);
    const late = ada.generationStream(generation.id);
    await late.connect();
    const { snapshot } = await late.waitFor('snapshot');
    const html = 'generation' in snapshot ? snapshot.generation.html : [];
    expect(html?.map((block) => block.html).join('')).toBe('<p>one</p>\n<p>two</p>\n');
  });

  test('fails has all of its blocks done', async () => {
    const { model, generation, watcher } = await askWatched({ timeoutMs: 700 });
    model.text('one\n\ntwo');
    await watcher.ended(generation.id);
    expect(doneOf(watcher).map(({ html }) => html)).toEqual(['<p>one</p>\n', '<p>two</p>\n']);
  });

  test('calls a tool has the blocks of its text', async () => {
    const { model, generation, watcher } = await askWatched();
    model.text('Let me look.').call('call_1', 'clock', '{}').stop({ stopReason: 'tool_use' });
    await watcher.ended(generation.id);
    expect(doneOf(watcher).map(({ html }) => html)).toEqual(['<p>Let me look.</p>\n']);
  });
});

test('no more than ten events come in a second', async () => {
  const { model, generation, watcher } = await askWatched();
  const talking = setInterval(() => model.text('word '), 5);
  await watcher.until(() => watcher.of('generation.html').length >= 25);
  clearInterval(talking);
  model.stop();
  await watcher.ended(generation.id);
  // By the server's clock: events may come here in a bunch.
  const told = watcher
    .of('generation.html')
    .slice(0, 25)
    .map(({ at }) => Date.parse(at));
  for (const at of told)
    expect(told.filter((other) => other >= at && other < at + 1000).length).toBeLessThanOrEqual(10);
});

test('answers that nobody wants rendered have no blocks', async () => {
  const { model, generation, watcher, conversationId } = await askWatched({ render: undefined });
  model.text('one\n\ntwo');
  await watcher.until(() => watcher.written(generation.id) === 'one\n\ntwo');
  const late = ada.socket(conversationId);
  await late.connect();
  expect(late.state?.generations[0]).not.toHaveProperty('html');
  model.stop();
  await watcher.ended(generation.id);
  expect(watcher.of('generation.html')).toEqual([]);
});
