import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hasRealRedis } from '../support/stores.js';
import { answerOf, continuedText, eventually, running, setStage, watchedConversation } from './stage.js';

describe.runIf(await hasRealRedis())('Redis', () => {
  test('full: new work is refused, running work ends in order, and all goes on when there is room', async () => {
    const stage = await setStage({ own: ['redis'] });
    const { system, upstream, ada, row } = stage;
    const talking = await watchedConversation(stage);
    const ending = await watchedConversation(stage);
    const ask = async ({ ask, clients }: typeof talking) => {
      const id = await ask('Hello?');
      const request = await upstream.nextRequest();
      request.text('Before');
      for (const client of clients) await client.until(() => client.written(id) === 'Before');
      return { id, request };
    };
    const [first, second] = [await ask(talking), await ask(ending)];

    const redis = new Redis(stage.redis.url);
    onTestFinished(() => {
      redis.disconnect();
    });
    await redis.config('SET', 'maxmemory', '1');
    await expect(redis.set('anything', 1)).rejects.toThrow(/OOM/);
    const askedAt = performance.now();
    const refused = await ada.call('POST', `/v1/conversations/${talking.id}/messages`, { content: 'More?' });
    expect(refused).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(performance.now() - askedAt).toBeLessThan(1500);

    // One ends while there is no room: it is stored. The other one talks on until there is.
    second.request.text(', during').stop();
    first.request.text(', during');
    await eventually(async () => (await row(second.id)).status === 'completed');
    expect(await answerOf(stage, second.id)).toMatchObject([{ text: 'Before, during', status: 'complete' }]);

    await redis.config('SET', 'maxmemory', '0');
    for (const client of ending.clients) {
      expect((await client.ended(second.id)).message?.text).toBe('Before, during');
      expect(client.state?.messages.at(-1)?.text).toBe('Before, during');
    }
    // Its lock could not be renewed: it is gone on with from what everybody has seen.
    await first.request.closed;
    const next = await upstream.nextRequest();
    expect(continuedText(next)).toBe('Before');
    next.text(', during, after').stop();
    for (const client of talking.clients) {
      const { generation, message } = await client.ended(first.id);
      expect(generation.status).toBe('completed');
      expect(message?.text).toBe('Before, during, after');
      expect(client.written(first.id)).toBe('Before, during, after');
    }
    expect(await answerOf(stage, first.id)).toMatchObject([{ text: 'Before, during, after' }]);

    const later = await ask(talking);
    later.request.text(' and after').stop();
    for (const client of talking.clients)
      expect((await client.ended(later.id)).message?.text).toBe('Before and after');
    await eventually(async () =>
      (await Promise.all(system.workers.map(running))).every((count) => count === 0),
    );
  }, 120_000);
});
