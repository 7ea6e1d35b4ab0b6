import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ContentBlock } from '../../src/domain/content.js';
import type { Generation } from '../../src/domain/generation.js';
import { Snapshots } from '../../src/gateway/snapshots.js';
import type { RedisClient } from '../../src/redis/connect.js';
import type { Presence } from '../../src/redis/presence.js';
import { readTranscript } from '../../src/redis/transcript.js';
import { beginGeneration, endAttempt, handOverAttempt, type Attempt } from '../../src/service/attempt.js';
import { requeueLost } from '../../src/service/sweeps.js';
import { generationRoom } from '../../src/wire/room.js';
import { startTestApi, type Caller, type TestApi } from './api/test-api.js';
import { keysLike, openRedis } from '../support/stores.js';

/** What snapshots of one cursor show, whatever happens in Postgres between them. */

let api: TestApi;
let ada: Caller;
let redis: RedisClient;
let snapshots: Snapshots;

beforeAll(async () => {
  api = await startTestApi();
  ada = await api.signIn('Ada');
  redis = openRedis();
  const nobody: Partial<Presence> = { list: () => Promise.resolve([]) };
  snapshots = new Snapshots({
    db: api.db,
    roomLog: api.context.roomLog,
    presence: nobody as Presence,
  });
});
afterAll(async () => {
  redis.disconnect();
  await api.close();
});

const written: ContentBlock[] = [{ type: 'text', text: 'Handed over' }];
const usage = { inputTokens: 10, outputTokens: 3, cacheReadInputTokens: 0, cacheCreationInputTokens: 0 };

async function ask(): Promise<Generation> {
  const made = await ada.call('POST', '/v1/conversations', {});
  const path = `/v1/conversations/${(made.body as { id: string }).id}/messages`;
  const asked = await ada.call('POST', path, { content: 'Hello?' });
  const { generation } = asked.body as { generation: Generation };
  await relayed(generation);
  return generation;
}

/** What was committed has been told: else the log would go on by itself between two looks. */
async function relayed(generation: Generation): Promise<void> {
  await api.context.relay.flush(generationRoom(generation), new AbortController().signal);
}

/** A worker's attempt, with the log open to it. */
async function begin(generation: Generation): Promise<{ attempt: Attempt; transcript: string }> {
  const attempt = await beginGeneration(api.context, generation.id);
  if (!attempt) throw new Error('there is nothing to begin');
  await relayed(generation);
  const opened = await api.context.roomLog.open(
    generationRoom(generation),
    generation.id,
    attempt.generation.attempt,
    { mode: 'takeOver' },
  );
  return { attempt, transcript: 'transcript' in opened ? opened.transcript : 'fenced' };
}

async function lose(generation: Generation): Promise<void> {
  const keys = await keysLike(redis, `*{${generationRoom(generation)}}*`);
  await redis.del(...keys);
}

/** Where the room is, and what it shows of the generation, asked for in both ways. */
async function look(generation: Generation) {
  const { id, conversationId } = generation;
  const { cursor, snapshot } = await snapshots.conversation(conversationId ?? '', ada.user.id);
  const alone = await snapshots.generation(id, generationRoom(generation));
  const [shown] = snapshot.generations;
  expect(alone.snapshot.generation.content).toEqual(shown?.content);
  expect(alone.cursor).toBe(cursor);
  return { cursor, content: shown?.content };
}

const appendTo = (generation: Generation, attempt: number, n: number) =>
  api.context.roomLog.append({
    room: generationRoom(generation),
    generationId: generation.id,
    attempt,
    n,
    entries: [{ type: 'generation.chunk', data: '{}' }],
    transcript: '\n{"type":"message_stop"}',
    anew: false,
  });

test('what is handed over after Redis has lost it is not in one of two snapshots of a cursor, but in the log again', async () => {
  const generation = await ask();
  const { attempt } = await begin(generation);
  await lose(generation);
  const before = await look(generation);
  expect(await handOverAttempt(api.context, attempt.generation, { content: written, usage })).toBe(
    'handedOver',
  );
  expect(await look(generation)).toEqual(before);

  await api.context.queues.remove({ provider: 'demo', background: false }, generation.id);
  expect(await requeueLost(api.context, 'queued', 0)).toBe(1);
  const after = await look(generation);
  expect(after.content).toEqual(written);
  expect(after.cursor).not.toBe(before.cursor);

  // What the first worker still sends is not written behind it.
  expect(await appendTo(generation, 1, 1)).toBe('ok');
  expect(await look(generation)).toEqual(after);
  const next = await begin(generation);
  const { calls } = readTranscript(next.transcript);
  expect(calls).toMatchObject([{ usage: { input_tokens: 10, output_tokens: 3 }, final: true }]);
  expect((await look(generation)).content).toEqual(written);
  expect(await appendTo(generation, 2, 1)).toBe('ok');
});

test('what Redis still has is not put back once more', async () => {
  const generation = await ask();
  const { attempt } = await begin(generation);
  await api.context.roomLog.append({
    room: generationRoom(generation),
    generationId: generation.id,
    attempt: 1,
    n: 1,
    entries: [],
    transcript:
      '\n{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\ntHanded over, and more',
    anew: false,
  });
  await handOverAttempt(api.context, attempt.generation, { content: written, usage });
  const before = await look(generation);
  expect(before.content).toEqual([{ type: 'text', text: 'Handed over, and more' }]);
  await api.context.queues.remove({ provider: 'demo', background: false }, generation.id);
  expect(await requeueLost(api.context, 'queued', 0)).toBe(1);
  await relayed(generation);
  expect((await look(generation)).content).toEqual(before.content);
});

test('an answer that is gone on with shows what it goes on from, before and after its worker begins', async () => {
  const first = await ask();
  const { attempt } = await begin(first);
  const content: ContentBlock[] = [{ type: 'text', text: 'Cut' }];
  await endAttempt(
    api.context,
    attempt.generation,
    { status: 'completed', stopReason: 'max_tokens', stopSequence: null, content, usage },
    { streamed: true },
  );
  await relayed(first);
  const answer = await ada.call('POST', `/v1/generations/${first.id}/continue`);
  const { generation } = answer.body as { generation: Generation };
  await relayed(generation);
  const waiting = await look(generation);
  expect(waiting.content).toEqual(content);
  const begun = await begin(generation);
  expect((await look(generation)).content).toEqual(content);
  await lose(generation);
  const lost = await look(generation);
  expect(lost.content).toEqual(content);
  await handOverAttempt(api.context, begun.attempt.generation, { content: written, usage });
  expect(await look(generation)).toEqual(lost);
});

test('what is accepted or ends while a snapshot is read is in it with its message, or not at all', async () => {
  const generation = await ask();
  const { id, conversationId, messageId } = generation;
  const { attempt } = await begin(generation);
  await endAttempt(
    api.context,
    attempt.generation,
    { status: 'completed', content: written, usage, stopReason: 'end_turn' },
    { streamed: true },
  );
  await relayed(generation);

  // Reading messages waits until another generation, which was not there before, has begun to write this one.
  const taken = await api.db.transaction(async (tx) => {
    await tx.execute(sql`lock table messages in access exclusive mode`);
    const taking = snapshots.conversation(conversationId ?? '', ada.user.id);
    const isWaiting = sql`select 1 from pg_locks where not granted and relation = 'messages'::regclass`;
    while ((await api.db.execute(isWaiting)).rowCount === 0);
    await tx.execute(
      sql`update messages set status = 'streaming', text = '', content = '[]' where id = ${messageId}`,
    );
    await tx.execute(sql`update generations set status = 'running', ended_at = null where id = ${id}`);
    return { taking };
  });
  const { messages, generations } = (await taken.taking).snapshot;
  expect(generations).toEqual([]);
  expect(messages).toMatchObject([
    { role: 'user' },
    { id: messageId, status: 'complete', text: 'Handed over' },
  ]);
});
