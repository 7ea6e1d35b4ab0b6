import { expect, test } from 'vitest';
import { answerOf, eventually, setStage } from './stage.js';

/** A connection is asked every 2 s whether it lives, and given up when it has not answered for 2 s. */
const noticedMs = 5000;
/**
 * Postgres ends what rests in a transaction for 10 s, and its locks with it. Then a sweep relays the room: in at most 12 s
 * if its own query met a dead connection before that was noticed, and a second until the next sweep.
 */
const lockedMs = 20_000;

test('every connection to Postgres dies without a word, one in a transaction: they are given up, and its lock, too', async () => {
  const stage = await setStage({ own: ['redis'], linked: 'postgres' });
  const { upstream, link, redis, ada, sql } = stage;
  upstream.answerWith('Yes.');
  const conversation = await ada.converse();
  await ada.ended((await ada.ask(conversation, 'Are you there?')).generation.id);
  const isRelaying = async () =>
    (
      await sql`select from pg_locks where locktype = 'advisory' and database = (
      select oid from pg_database where datname = current_database())`
    ).length > 0;
  await eventually(async () => !(await isRelaying()));

  // Whoever relays the room has its lock, and waits for Redis: so dies the connection.
  redis.pause();
  await ada.call('PATCH', `/v1/conversations/${conversation}`, { title: 'Silence' });
  await eventually(isRelaying);
  link.silence();
  const diedAt = performance.now();
  redis.resume();

  const accepted = await eventually(async () => {
    const askedAt = performance.now();
    const { status, body } = await ada.call<{ generation: { id: string } }>(
      'POST',
      `/v1/conversations/${conversation}/messages`,
      { content: 'And now?' },
    );
    expect([202, 503]).toContain(status);
    expect(performance.now() - askedAt).toBeLessThan(2500);
    return status === 202 && body.generation.id;
  });
  expect(performance.now() - diedAt).toBeLessThan(noticedMs);
  expect(await isRelaying()).toBe(true);
  await eventually(async () => (await stage.row(accepted)).status === 'completed');
  expect(performance.now() - diedAt).toBeLessThan(lockedMs);
  expect(await answerOf(stage, accepted)).toMatchObject([{ text: 'Yes.' }]);
});
