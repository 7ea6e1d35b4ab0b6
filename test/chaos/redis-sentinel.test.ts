import { expect, onTestFinished, test } from 'vitest';
import { findRedis } from '../../src/embedded/redis.js';
import { keepWatching } from '../support/keep-watching.js';
import { startRedisWithSentinel } from '../support/redis-servers.js';
import { openScene } from '../support/scene.js';
import { continuing } from '../support/upstream.js';

const text = Array.from({ length: 150 }, (_, i) => `Word ${i}`).join(', ');

test.runIf((await findRedis()) === 'redis-server')(
  'a master that is killed in mid-answer is replaced by Sentinel: every client ends with the exact text',
  async () => {
    const redis = await startRedisWithSentinel();
    onTestFinished(() => redis.dispose());
    const scene = await openScene({ apis: 2, redisUrl: redis.url });
    onTestFinished(() => scene.close());
    const { ada, system, upstream } = scene;
    upstream.answerWith(continuing(text, 8), { delayMs: 25 });
    const stop = new AbortController();
    onTestFinished(() => {
      stop.abort();
    });
    const conversationId = await ada.converse();
    const clients = [
      ada.via(system.api(0)).socket(conversationId),
      ada.via(system.api(1)).eventStream(conversationId),
    ];
    for (const client of clients) void keepWatching(client, stop.signal);
    const { generation } = await ada.ask(conversationId, 'Count.');
    for (const client of clients) await client.until(() => client.written(generation.id).length > 100);
    const [master, replica] = redis.nodes;
    await master?.kill();
    for (const client of clients) {
      expect((await client.ended(generation.id)).message?.text).toBe(text);
      expect(client.written(generation.id)).toBe(text);
    }
    expect(await replica?.ask((asked) => asked.info('replication'))).toContain('role:master');

    // The old master comes back as a replica, and nobody is misled by it.
    await master?.start();
    const next = await ada.ask(conversationId, 'Again.');
    for (const client of clients) {
      expect((await client.ended(next.generation.id)).message?.text).toBe(text);
      expect(client.written(next.generation.id)).toBe(text);
    }
  },
);
