import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { hasRealRedis } from '../support/stores.js';
import { continuing } from '../support/upstream.js';
import { answerOf, eventually, setStage, watchedConversation, type Watched } from './stage.js';

const text = Array.from({ length: 150 }, (_, i) => `Word ${i}`).join(', ');

describe.runIf(await hasRealRedis())('Redis', () => {
  test('restarted in mid-answer: every client ends with the exact text', async () => {
    const stage = await setStage({ own: ['redis'], apis: 2, workers: 2 });
    stage.upstream.answerWith(continuing(text, 8), { delayMs: 25 });
    const running = await Promise.all([watchedConversation(stage), watchedConversation(stage)]);
    const ids = await Promise.all(running.map(({ ask }) => ask('Count.')));
    await begun(running, ids);
    await stage.redis.stop();
    await stage.redis.start();
    await begun(running, ids, 400);
    await stage.redis.kill();
    await stage.redis.start();
    for (const [i, watched] of running.entries()) await expectExact(watched, ids[i]);
    for (const id of ids) expect(await stage.row(id)).toMatchObject({ lostWorkers: 0 });
    await expectAlive(running);
  }, 120_000);

  test('cut off for ten seconds, nothing being refused: every client ends with the exact text', async () => {
    // One worker: it finds its own jobs stalled when Redis answers again.
    const stage = await setStage({ own: ['redis'] });
    stage.upstream.answerWith(continuing(text, 8), { delayMs: 80 });
    const running = await Promise.all([watchedConversation(stage), watchedConversation(stage)]);
    const ids = await Promise.all(running.map(({ ask }) => ask('Count.')));
    await begun(running, ids);

    stage.redis.pause();
    const askedAt = performance.now();
    const refused = await stage.ada.call('POST', `/v1/conversations/${running[0].id}/messages`, {
      content: 'Hello?',
    });
    expect(refused).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect(performance.now() - askedAt).toBeLessThan(1500);
    await sleep(10_000 - (performance.now() - askedAt)); // how long the fault lasts
    stage.redis.resume();

    for (const [i, watched] of running.entries()) await expectExact(watched, ids[i]);
    for (const id of ids) expect(await stage.row(id)).toMatchObject({ lostWorkers: 0 });
    await expectAlive(running);
  }, 120_000);

  test('cut off together with Postgres, which comes back later: no worker counts as lost', async () => {
    const stage = await setStage({ own: ['redis', 'postgres'] });
    const { system, redis, postgres, upstream } = stage;
    // It talks on for longer than a lock lasts: whoever goes on with it has to keep its lock.
    upstream.answerWith(continuing(text, 8), { delayMs: 80 });
    const watched = await watchedConversation(stage);
    const id = await watched.ask('Count.');
    await begun([watched], [id]);
    const { output } = system.worker();
    redis.pause();
    await postgres.stop();
    await eventually(() => output.some((line) => line.includes('redis connection failed')));
    await sleep(6000); // longer than a lock lasts
    redis.resume();
    // The job comes again while its generation cannot be handed over yet.
    const tries = () => output.filter((line) => line.includes('cannot be stored yet')).length;
    await eventually(() => tries() >= 8);
    await postgres.start();
    await expectExact(watched, id);
    expect(await stage.row(id)).toMatchObject({ lostWorkers: 0 });
    await expectAlive([watched]);
  }, 120_000);

  test('wiped with generations waiting, queued and running: all of them end, and every client has them all', async () => {
    const stage = await setStage({ own: ['redis'], env: { WORKER_CONCURRENCY: '1' } });
    stage.upstream.answerWith(continuing(text, 8), { delayMs: 25 });
    const running = await watchedConversation(stage);
    const other = await watchedConversation(stage);
    const idle = await watchedConversation(stage);
    const ids = [await running.ask('This one runs.')];
    await begun([running], ids);
    ids.push(await running.ask('This one waits.'), await other.ask('This one is queued.'));
    expect(await Promise.all(ids.map(async (id) => (await stage.row(id)).status))).toEqual([
      'running',
      'waiting',
      'queued',
    ]);

    await stage.redis.wipe();
    const [first, second, third] = ids;
    await expectExact(running, first);
    await expectExact(running, second);
    await expectExact(other, third);
    for (const id of ids) expect(await stage.row(id)).toMatchObject({ status: 'completed', lostWorkers: 0 });
    await expectAlive([running, other, idle]);

    // With nothing going on, and with nobody having seen it go.
    await stage.redis.wipe();
    await expectAlive([running, other, idle]);
  }, 120_000);
});

/** Resolves when the last client of each has so much of the answer. */
async function begun(all: readonly Watched[], ids: readonly string[], characters = 20): Promise<void> {
  for (const [i, { clients }] of all.entries())
    for (const client of clients) await client.until(() => client.written(ids[i] ?? '').length >= characters);
}

async function expectExact({ id, clients, stage }: Watched, generationId = ''): Promise<void> {
  for (const client of clients) {
    const { generation, message } = await client.ended(generationId);
    expect(generation.status).toBe('completed');
    expect(message?.text).toBe(text);
    expect(client.written(generationId)).toBe(text);
  }
  expect(await answerOf(stage, generationId)).toEqual([{ conversation: id, text, status: 'complete' }]);
}

/** Every client still hears what happens. */
async function expectAlive(all: readonly Watched[]): Promise<void> {
  for (const watched of all) {
    const content = `A remark ${Math.random()}`;
    await watched.remark(content);
    for (const client of watched.clients)
      await client.until(() => client.state?.messages.some((message) => message.text === content));
  }
}
