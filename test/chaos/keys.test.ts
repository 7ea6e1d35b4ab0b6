import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { eventually, setStage } from './stage.js';
import { unboundedKeys } from './unbounded-keys.js';

const generations = 500;

test('after 500 finished generations no Redis key is without TTL or bound, and none is of a generation alone', async () => {
  const { system, upstream, ada } = await setStage();
  upstream.answerWith('A short answer.');
  const redis = new Redis(system.redisUrl);
  onTestFinished(() => {
    redis.disconnect();
  });
  const keysOf = async (pattern: string) => (await redis.keys(`*${system.keyPrefix}*${pattern}`)).sort();
  const conversations = await Promise.all(Array.from({ length: 10 }, () => ada.converse()));
  const rounds = generations / conversations.length;
  const socket = ada.socket(conversations[0] ?? '');
  await socket.connect();
  // Some end by themselves, some are cancelled, some fail.
  for (let round = 0; round < rounds; round += 1) {
    upstream.answerWith(round === 3 ? ' ' : 'A short answer.', { delayMs: round === 2 ? 200 : 0 });
    await Promise.all(
      conversations.map(async (id) => {
        const { generation } = await ada.ask(id, `Round ${round}`);
        if (round === 2) await ada.call('POST', `/v1/generations/${generation.id}/cancel`);
        await ada.ended(generation.id);
      }),
    );
  }
  await socket.until(
    () => socket.of('generation.queued').length === rounds && socket.state?.generations.length === 0,
  );
  socket.drop();

  await eventually(async () => (await keysOf(':presence')).length === 0);
  expect(await unboundedKeys(redis, system.keyPrefix)).toEqual([]);
  // What is left of a generation is its fence; of a room its log, and what stands at its head.
  expect(await keysOf(':transcript:*')).toEqual([]);
  expect(await keysOf(':cancel:*')).toEqual([]);
  expect(await keysOf(':live')).toEqual([]);
  for (const key of await keysOf(':generation:*'))
    expect(await redis.pttl(key)).toBeLessThanOrEqual(3_600_000);
  expect(await keysOf(':log')).toHaveLength(conversations.length);
  // BullMQ's own are those of its queues: no job is left.
  const ofQueues = (await keysOf(':generations-*')).map((key) => key.replace(/.*:generations-/, ''));
  expect(ofQueues.filter((key) => !/^[a-z]+:(id|meta|pc|marker|events|stalled-check)$/.test(key))).toEqual(
    [],
  );
}, 180_000);
