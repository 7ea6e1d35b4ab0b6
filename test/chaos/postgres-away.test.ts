import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { answerOf, eventually, setStage, watchedConversation, type Stage } from './stage.js';

describe('Postgres', () => {
  test('away in mid-answer: streaming goes on, requests are refused at once, the end is stored later', async () => {
    const stage = await setStage({ own: ['postgres'], apis: 2 });
    const { upstream, system, postgres } = stage;
    const watched = await watchedConversation(stage);
    const id = await watched.ask('Hello?');
    const request = await upstream.nextRequest();
    request.text('Before');
    for (const client of watched.clients) await client.until(() => client.written(id) === 'Before');

    await postgres.stop();
    const awayAt = performance.now();
    request.text(', during');
    for (const client of watched.clients) await client.until(() => client.written(id) === 'Before, during');
    await expectRefused(stage, watched.id);
    request.text(', ended').stop();
    for (const client of watched.clients)
      await client.until(() => client.written(id) === 'Before, during, ended');
    await eventually(() => system.worker().output.some((line) => line.includes('cannot be stored yet')));
    await sleep(20_000 - (performance.now() - awayAt)); // how long the fault lasts
    await expectRefused(stage, watched.id);

    const backAt = performance.now();
    await postgres.start();
    for (const client of watched.clients) {
      const { generation, message } = await client.ended(id);
      expect(generation).toMatchObject({ status: 'completed', attempt: 1 });
      expect(message?.text).toBe('Before, during, ended');
    }
    expect(performance.now() - backAt).toBeLessThan(5000);
    expect(await answerOf(stage, id)).toMatchObject([{ text: 'Before, during, ended', status: 'complete' }]);
    await expectAnswers(stage, watched.id);
  }, 120_000);

  test('killed and restarted in mid-answer: nobody notices but those who ask at that moment', async () => {
    const stage = await setStage({ own: ['postgres'], workers: 2 });
    const { upstream, postgres } = stage;
    const watched = await watchedConversation(stage);
    const id = await watched.ask('Hello?');
    const request = await upstream.nextRequest();
    request.text('Before');
    for (const client of watched.clients) await client.until(() => client.written(id) === 'Before');
    await postgres.kill();
    request.text(', during');
    for (const client of watched.clients) await client.until(() => client.written(id) === 'Before, during');
    await postgres.start();
    request.text(', after').stop();
    for (const client of watched.clients) {
      expect((await client.ended(id)).message?.text).toBe('Before, during, after');
      expect(client.written(id)).toBe('Before, during, after');
      expect(client.of('generation.reset')).toEqual([]);
      expect(client.of('snapshot')).toHaveLength(1);
    }
    expect(await stage.row(id)).toMatchObject({ status: 'completed', attempt: 1, lostWorkers: 0 });
    await expectAnswers(stage, watched.id);
  }, 120_000);

  test('hanging: requests are refused at once, and what was under way ends when it goes on', async () => {
    const stage = await setStage({ own: ['postgres'] });
    const { upstream, postgres } = stage;
    const watched = await watchedConversation(stage);
    const id = await watched.ask('Hello?');
    const request = await upstream.nextRequest();
    request.text('Before');
    for (const client of watched.clients) await client.until(() => client.written(id) === 'Before');
    const hanging = (
      await stage.sql<{ pid: number }[]>`
      select pid from pg_stat_activity where application_name = 'tokencast'`
    ).map(({ pid }) => pid);
    expect(hanging.length).toBeGreaterThan(0);

    // The server and each of its connections.
    postgres.pause();
    for (const pid of hanging) process.kill(pid, 'SIGSTOP');
    request.text(', during').stop();
    for (const client of watched.clients) await client.until(() => client.written(id) === 'Before, during');
    await expectRefused(stage, watched.id);
    for (const pid of hanging) process.kill(pid, 'SIGCONT');
    postgres.resume();
    for (const client of watched.clients)
      expect((await client.ended(id)).message?.text).toBe('Before, during');
    await expectAnswers(stage, watched.id);
  }, 120_000);
});

/** New requests get 503 within a second, and a little for a machine that is busy. */
async function expectRefused({ ada, system }: Stage, conversation: string): Promise<void> {
  for (const api of system.apis)
    for (const [method, path, body] of [
      ['POST', `/v1/conversations/${conversation}/messages`, { content: 'And?' }],
      ['GET', `/v1/conversations/${conversation}`, undefined],
    ] as const) {
      const askedAt = performance.now();
      const answer = await ada.via(api).call(method, path, body);
      expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } });
      expect(performance.now() - askedAt).toBeLessThan(1500);
    }
}

/** The next question, asked through every api, is answered. */
async function expectAnswers({ ada, upstream, system }: Stage, conversation: string): Promise<void> {
  for (const api of system.apis) {
    const person = ada.via(api);
    const { generation } = await person.ask(conversation, 'And now?');
    (await upstream.nextRequest()).text('Now too.').stop();
    expect((await person.ended(generation.id)).text).toBe('Now too.');
  }
}
