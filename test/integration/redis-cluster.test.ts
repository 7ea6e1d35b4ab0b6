import { setMaxListeners } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findRedis } from '../../src/embedded/redis.js';
import { LossDetector } from '../../src/redis/loss-detector.js';
import { connectRedis, whenReady } from '../../src/redis/connect.js';
import { createKeys } from '../../src/redis/keys.js';
import { createLogger } from '../../src/lib/logger.js';
import { runCli } from '../support/cli.js';
import { keepWatching } from '../support/keep-watching.js';
import { ownPort } from '../support/own-port.js';
import { openScene, type Scene } from '../support/scene.js';
import { running } from '../chaos/stage.js';
import { clusterIsOk, startRedisCluster, type RedisCluster } from '../support/redis-servers.js';
import { continuing } from '../support/upstream.js';

/** From the kill to the next call of the model, as with one server. */
const takeoverMs = 8000;

/** The main path over a Redis Cluster: three masters, the first with a replica. */
describe.runIf((await findRedis()) === 'redis-server')('on a Redis Cluster', () => {
  let cluster: RedisCluster;
  let scene: Scene;

  beforeAll(async () => {
    cluster = await startRedisCluster({ replica: true });
    scene = await openScene({ apis: 2, workers: 2, redisUrl: cluster.url });
  });
  afterAll(async () => {
    await scene.close();
    await cluster.dispose();
  });

  /** Two who watch a conversation, each through an api of its own. */
  async function watch(conversationId: string) {
    const { ada, system } = scene;
    const socket = ada.via(system.api(0)).socket(conversationId);
    const stream = ada.via(system.api(1)).eventStream(conversationId);
    await Promise.all([socket.connect(), stream.connect()]);
    return { socket, stream };
  }

  test('all who watch, come late or come back see one answer', async () => {
    const { ada, system } = scene;
    const conversationId = await ada.converse();
    const { socket, stream } = await watch(conversationId);
    const { model, generation } = await scene.ask({ conversationId });
    const { id } = generation;
    model.text('Once upon');
    await Promise.all([socket, stream].map((each) => each.until(() => each.written(id) === 'Once upon')));
    const late = ada.via(system.api(1)).socket(conversationId);
    await late.connect();
    expect(late.written(id)).toBe('Once upon');
    socket.drop();
    model.text(' a time');
    await late.until(() => late.written(id) === 'Once upon a time');
    await socket.connect();
    expect(socket.ack?.resumed).toBe(true);
    model.text(', the end.').stop();
    for (const client of [socket, stream, late]) {
      expect((await client.ended(id)).message?.text).toBe('Once upon a time, the end.');
      expect(client.written(id)).toBe('Once upon a time, the end.');
    }
  });

  test('a cancel reaches a silent model', async () => {
    const { ada } = scene;
    const { conversationId, model, generation } = await scene.ask();
    const { socket } = await watch(conversationId);
    model.text('Half an');
    await socket.until(() => socket.written(generation.id) === 'Half an');
    await ada.http.cancelGeneration(generation.id);
    await model.closed;
    expect(await socket.ended(generation.id)).toMatchObject({
      type: 'generation.cancelled',
      message: { text: 'Half an', status: 'partial' },
    });
  });

  test('rooms are spread over all nodes, and a list that is watched hears of each', async () => {
    const { ada, upstream, system } = scene;
    upstream.answerWith('Yes.');
    try {
      const conversations = await Promise.all(Array.from({ length: 12 }, () => ada.converse()));
      await Promise.all(
        conversations.map(async (conversationId, i) => {
          const socket = ada.via(system.api(i % 2)).socket(conversationId);
          await socket.connect();
          const { generation } = await ada.ask(conversationId, 'Is it so?');
          expect((await socket.ended(generation.id)).message?.text).toBe('Yes.');
          expect(socket.written(generation.id)).toBe('Yes.');
        }),
      );
    } finally {
      upstream.answerByHand();
    }
    for (const node of cluster.nodes.slice(0, 3)) {
      const logs = await node.ask((redis) => redis.keys(`${system.keyPrefix}:{conversation:*}:log`));
      expect(logs.length).toBeGreaterThan(0);
    }
  });

  test('the doctor looks at each of its masters', async () => {
    const { out } = await runCli(['doctor'], {
      REDIS_URL: cluster.url,
      DATABASE_URL: scene.system.databaseUrl,
      PORT: String(await ownPort()),
    });
    expect(out.match(/✓ 127\.0\.0\.1:\d+: Redis \S+ answers in/g)).toHaveLength(3);
  });

  test('another worker goes on where a killed one stopped', async () => {
    const { ada, system } = scene;
    const conversationId = await ada.converse();
    const { socket, stream } = await watch(conversationId);
    const { model, generation, prompt } = await scene.ask({ conversationId });
    const { id } = generation;
    model.text('Half an');
    await socket.until(() => socket.written(id) === 'Half an');
    const busy = (await running(system.worker(0))) > 0 ? 0 : 1;
    const killedAt = performance.now();
    system.worker(busy).kill('SIGKILL');
    const next = await scene.modelFor(prompt.text);
    expect(next.receivedAtMs - killedAt).toBeLessThan(takeoverMs);
    next.text(' answer.').stop();
    for (const client of [socket, stream]) {
      const ended = await client.ended(id);
      expect(ended).toMatchObject({ generation: { status: 'completed', attempt: 2 } });
      expect(ended.message?.text).toBe('Half an answer.');
      expect(client.written(id)).toBe('Half an answer.');
    }
  });

  test('a master that is killed in mid-answer is replaced, and every client ends with the exact text', async () => {
    const { ada, upstream, system } = scene;
    const text = Array.from({ length: 150 }, (_, i) => `Word ${i}`).join(', ');
    upstream.answerWith(continuing(text, 8), { delayMs: 25 });
    const redis = connectRedis(cluster.url, 'commands', createLogger({ level: 'silent', role: 'test' }));
    const stop = new AbortController();
    setMaxListeners(0, stop.signal);
    try {
      await whenReady(redis, 5000);
      const keys = createKeys(system.keyPrefix);
      const detector = new LossDetector(redis, keys);
      expect(await detector.isWhole()).toBe(true);
      // More rooms than nodes: some are on the one that dies.
      const conversations = await Promise.all(Array.from({ length: 6 }, () => ada.converse()));
      const watched = await Promise.all(
        conversations.map(async (conversationId) => {
          const { socket, stream } = await watch(conversationId);
          void keepWatching(socket, stop.signal);
          void keepWatching(stream, stop.signal);
          const { generation } = await ada.ask(conversationId, 'Count.');
          return { id: generation.id, clients: [socket, stream] };
        }),
      );
      for (const { id, clients } of watched)
        for (const client of clients) await client.until(() => client.written(id).length > 40);
      await cluster.nodes[0]?.kill();
      for (const { id, clients } of watched)
        for (const client of clients) {
          expect((await client.ended(id)).message?.text).toBe(text);
          expect(client.written(id)).toBe(text);
        }
      const [, ...left] = cluster.nodes;
      await Promise.all(left.map(clusterIsOk));
    } finally {
      stop.abort();
      redis.disconnect();
      upstream.answerByHand();
    }
  });
});
