import { expect, test } from 'vitest';
import { answerOf, setStage, watchedConversation } from './stage.js';

/** Until a connection that died is noticed and made anew. */
const noticedMs = 8000;

test('every connection to Redis dies without a word: all of them are noticed, and nobody stays deaf', async () => {
  const stage = await setStage({ apis: 2, linked: 'redis' });
  const { upstream, link, ada } = stage;
  const talking = await watchedConversation(stage);
  const silent = await watchedConversation(stage);
  const idle = await watchedConversation(stage);
  const id = await talking.ask('Talk.');
  const talk = await upstream.nextRequest();
  talk.text('Before');
  for (const client of talking.clients) await client.until(() => client.written(id) === 'Before');
  const silentId = await silent.ask('Say nothing.');
  const nothing = await upstream.nextRequest();
  nothing.hang();

  link.silence();
  const diedAt = performance.now();
  talk.text(', after');
  for (const client of talking.clients) await client.until(() => client.written(id) === 'Before, after');
  expect(performance.now() - diedAt).toBeLessThan(noticedMs);
  for (const client of talking.clients) {
    expect(client.of('generation.reset')).toEqual([]);
    expect(client.of('snapshot')).toHaveLength(1);
  }
  await idle.remark('Still here?');
  for (const client of idle.clients) await client.waitFor('message.created');

  // The worker's cancel signals, and its queue.
  await ada.http.cancelGeneration(silentId);
  expect((await nothing.closed) - diedAt).toBeLessThan(noticedMs);
  for (const client of silent.clients)
    expect((await client.ended(silentId)).generation.status).toBe('cancelled');
  const next = await idle.ask('And now?');
  (await upstream.nextRequest()).text('Now.').stop();
  for (const client of idle.clients) expect((await client.ended(next)).message?.text).toBe('Now.');
  expect(performance.now() - diedAt).toBeLessThan(2 * noticedMs);

  talk.text(', ended').stop();
  for (const client of talking.clients)
    expect((await client.ended(id)).message?.text).toBe('Before, after, ended');
  expect(await stage.row(id)).toMatchObject({ status: 'completed', lostWorkers: 0 });
  expect(await answerOf(stage, id)).toMatchObject([{ text: 'Before, after, ended' }]);
}, 40_000);
