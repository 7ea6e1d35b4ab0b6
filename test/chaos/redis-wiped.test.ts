import { expect, test } from 'vitest';
import { continuing } from '../support/upstream.js';
import { answerOf, continuedText, setStage, watchedConversation } from './stage.js';

test('wiped while no worker lives: an answer is gone on with from what was handed over', async () => {
  const stage = await setStage({ own: ['redis'], env: { SHUTDOWN_GRACE_MS: '0' } });
  const { system, upstream, redis, row } = stage;
  const watched = await watchedConversation(stage);
  const reached = async (text: string) => {
    for (const client of watched.clients) await client.until(() => client.written(id) === text);
  };
  const id = await watched.ask('Hello?');
  (await upstream.nextRequest()).start({ inputTokens: 10 }).text('Handed over');
  await reached('Handed over');
  system.worker(0).kill('SIGTERM');
  expect(await system.worker(0).exited()).toBe(0);
  expect(await row(id)).toMatchObject({ status: 'queued', attempt: 1, usage: { inputTokens: 10 } });

  await redis.wipe();
  await system.add('worker');
  const second = await upstream.nextRequest();
  expect(continuedText(second)).toBe('Handed over');
  second.start({ inputTokens: 13 }).text(', gone on with');
  await reached('Handed over, gone on with');

  // Killed and wiped at once: what was written since the last hand-over is lost, and nobody goes on seeing it.
  system.worker(1).kill('SIGKILL');
  await redis.wipe();
  await system.add('worker');
  const third = await upstream.nextRequest();
  expect(continuedText(third)).toBe('Handed over');
  third.start({ inputTokens: 13 }).text(', ended').stop();
  for (const client of watched.clients) {
    const { generation, message } = await client.ended(id);
    expect(generation).toMatchObject({ status: 'completed', attempt: 3 });
    expect(generation.usage?.inputTokens).toBe(10 + 13);
    expect(message?.text).toBe('Handed over, ended');
    expect(client.written(id)).toBe('Handed over, ended');
  }
  expect(await row(id)).toMatchObject({ lostWorkers: 1 });
  expect(await answerOf(stage, id)).toMatchObject([{ text: 'Handed over, ended', status: 'complete' }]);
}, 120_000);

test('wiped in mid-answer: the rendered blocks are put back with the text', async () => {
  const { ada, upstream, redis } = await setStage({ own: ['redis'] });
  const conversationId = await ada.converse();
  const watcher = ada.socket(conversationId);
  await watcher.connect();
  const paragraphs = Array.from({ length: 60 }, (_, i) => `This is paragraph ${i + 1} of many.`);
  // Longer than the worker needs to see that its lock is gone, so the wipe is met twice: by the next append, which puts
  // back what it finds missing, and by the worker that takes the answer over and goes on behind what was handed over.
  upstream.answerWith(continuing(paragraphs.join('\n\n'), 8), { delayMs: 10 });
  const { generation } = await ada.ask(conversationId, 'Hello?', { render: 'html' });
  await watcher.waitFor('generation.html', ({ block, done }) => block === 1 && done);

  await redis.wipe();
  await watcher.waitFor('generation.html', ({ block, done }) => block === 4 && done);
  const late = ada.eventStream(conversationId);
  await late.connect();
  for (const client of [watcher, late]) {
    expect((await client.ended(generation.id)).message?.text).toBe(paragraphs.join('\n\n'));
    expect(client.state?.ended.get(generation.id)?.html).toEqual(
      paragraphs.map((text, block) => ({ block, language: null, html: `<p>${text}</p>\n`, done: true })),
    );
  }
}, 60_000);
