import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { answerOf, continuedText, eventually, setStage, watchedConversation } from './stage.js';

/** A lock lasts 5 s and is renewed every second: so often, and it has been kept for longer. */
const renewals = 6;

test('a job that comes back to the worker that still has it is run once, and keeps its lock', async () => {
  const stage = await setStage();
  const { system, upstream, sql } = stage;
  const redis = new Redis(system.redisUrl);
  onTestFinished(() => {
    redis.disconnect();
  });
  const watched = await watchedConversation(stage);
  const id = await watched.ask('Hello?');
  const first = await upstream.nextRequest();
  first.text('Before');
  for (const client of watched.clients) await client.until(() => client.written(id) === 'Before');
  const [lock = ''] = await redis.keys(`*:${id}:lock`);

  // Its lock is lost, as when Redis hangs for too long; and what it has cannot be handed over.
  const holding = await sql.reserve();
  await holding`begin`;
  await holding`select from generations where id = ${id} for update`;
  await redis.del(lock);
  await first.closed;
  await eventually(async () => (await redis.exists(lock)) === 1);
  await holding`rollback`;
  holding.release();

  const second = await upstream.nextRequest();
  expect(continuedText(second)).toBe('Before');
  second.text(', behind');
  for (const client of watched.clients) await client.until(() => client.written(id) === 'Before, behind');
  let seen = 0;
  let before = await redis.pttl(lock);
  await eventually(async () => {
    const now = await redis.pttl(lock);
    expect(now).toBeGreaterThan(0);
    if (now > before) seen += 1;
    before = now;
    return seen === renewals;
  });
  second.text(', ended').stop();
  for (const client of watched.clients) {
    const { generation, message } = await client.ended(id);
    expect(generation).toMatchObject({ status: 'completed', attempt: 2 });
    expect(message?.text).toBe('Before, behind, ended');
    expect(client.written(id)).toBe('Before, behind, ended');
    expect(client.of('generation.reset')).toEqual([]);
    expect(client.of('snapshot')).toHaveLength(1);
  }
  expect(await stage.row(id)).toMatchObject({ lostWorkers: 0 });
  expect(await answerOf(stage, id)).toMatchObject([{ text: 'Before, behind, ended', status: 'complete' }]);
  expect(upstream.requests).toHaveLength(2);
});
