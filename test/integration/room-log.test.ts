import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HtmlBlock } from '../../src/domain/generation.js';
import { createLogger } from '../../src/lib/logger.js';
import { CancelFlags } from '../../src/redis/cancel-flags.js';
import { openSubscriber } from '../../src/redis/cluster-subscriber.js';
import { connectRedis, whenReady, type RedisClient } from '../../src/redis/connect.js';
import { createKeys } from '../../src/redis/keys.js';
import { RoomLog, type AppendResult } from '../../src/redis/room-log.js';
import type { Subscriptions } from '../../src/redis/subscriber.js';
import { isAtOrBefore } from '../../src/wire/cursor.js';
import { conversationRoom, type Room } from '../../src/wire/room.js';
import { openRedis, testKeyPrefix, testRedisUrl } from '../support/stores.js';

/** The scripts of the room log against a model of their invariants: any order of what workers and relays may do. */

const keys = createKeys(testKeyPrefix());
let redis: RedisClient;
let subscriber: Subscriptions;
let roomLog: RoomLog;
let cancelFlags: CancelFlags;

beforeAll(async () => {
  redis = openRedis();
  const subscribing = connectRedis(
    testRedisUrl(),
    'subscriber',
    createLogger({ level: 'silent', role: 'test' }),
  );
  await whenReady(subscribing, 5000);
  subscriber = openSubscriber(subscribing, createLogger({ level: 'silent', role: 'test' }));
  roomLog = new RoomLog(redis, keys);
  cancelFlags = new CancelFlags(redis, keys);
});

afterAll(() => {
  redis.disconnect();
  subscriber.close();
});

interface Entry {
  type: string;
  data: string;
}

interface GenerationState {
  attempt: number;
  n: number;
  ended: boolean;
}

const origin: Entry = { type: 'origin', data: '{}' };

/** What the headers of `lua/*.lua` promise, without ids. */
class Model {
  /** Null: there is no `last`. */
  log: Entry[] | null = null;
  outbox = 0;
  readonly generations = new Map<string, GenerationState>();
  readonly transcripts = new Map<string, string>();
  /** Rendered blocks by generation and place. */
  readonly html = new Map<string, Map<number, HtmlBlock>>();
  readonly cancelled = new Set<string>();
  readonly live = new Set<string>();
  /** Every entry that was ever written. */
  readonly written: Entry[] = [];
  /** How many blocks were shown without being logged. */
  drawn = 0;

  push(entry: Entry): void {
    if (!this.log?.length) {
      this.log = [origin];
      this.written.push(origin);
    }
    if (entry === origin) return;
    this.log.push(entry);
    this.written.push(entry);
  }

  append(
    id: string,
    attempt: number,
    n: number,
    entries: Entry[],
    transcript: string,
    anew: boolean,
    html: HtmlBlock[],
  ): AppendResult {
    const known = this.generations.get(id);
    if (known?.ended) return 'fenced';
    if (!known || known.attempt < attempt) return 'lost';
    if (known.attempt > attempt) return 'fenced';
    if (n <= known.n) return 'ok';
    if (n > known.n + 1) return 'lost';
    if (this.cancelled.has(id)) return 'cancelled';
    this.push(origin);
    for (const entry of entries) this.push(entry);
    known.n = n;
    this.transcripts.set(id, (anew ? '' : (this.transcripts.get(id) ?? '')) + transcript);
    if (anew) this.html.delete(id);
    for (const block of html) this.#render(id, block);
    return 'ok';
  }

  draw(id: string, attempt: number, block: HtmlBlock): void {
    const known = this.generations.get(id);
    if (!known || known.ended || known.attempt !== attempt) return;
    this.#render(id, block);
    this.drawn += 1;
  }

  blocksOf(id: string): HtmlBlock[] {
    return [...(this.html.get(id)?.values() ?? [])].sort((a, b) => a.block - b.block);
  }

  #render(id: string, block: HtmlBlock): void {
    this.html.set(id, (this.html.get(id) ?? new Map<number, HtmlBlock>()).set(block.block, block));
  }

  open(
    id: string,
    attempt: number,
    replace: { n: number; transcript: string; html: HtmlBlock[] } | undefined,
  ) {
    const known = this.generations.get(id);
    if (known && (known.ended || known.attempt > attempt)) return { status: 'fenced' };
    this.generations.set(id, { attempt, n: replace?.n ?? 0, ended: false });
    this.live.add(id);
    if (replace) {
      this.transcripts.set(id, replace.transcript);
      this.html.delete(id);
      for (const block of replace.html) this.#render(id, block);
      this.log = null;
    }
    this.push(origin);
    const transcript = this.transcripts.get(id) ?? '';
    this.transcripts.set(id, transcript);
    return { status: 'ok', transcript };
  }

  tell(outboxId: number, entry: Entry, ends: string | null): void {
    this.push(origin);
    if (outboxId > this.outbox) {
      this.push(entry);
      this.outbox = outboxId;
    }
    if (ends === null) return;
    this.generations.set(ends, { attempt: 0, n: 0, ...this.generations.get(ends), ended: true });
    this.transcripts.delete(ends);
    this.cancelled.delete(ends);
    this.live.delete(ends);
  }

  cancel(id: string): void {
    if (!this.generations.get(id)?.ended) this.cancelled.add(id);
  }

  wipe(): void {
    this.log = null;
    this.outbox = 0;
    for (const lost of [this.generations, this.transcripts, this.html, this.cancelled, this.live])
      lost.clear();
  }
}

/** A room of its own, in Redis and in the model. */
class Bench {
  readonly model = new Model();
  readonly room: Room = conversationRoom(randomUUID());
  readonly published: string[] = [];
  /** Cursors that were ever seen. */
  readonly cursors = new Set<string>(['0-0', '5-5']);
  /** Entries by cursor, as they were when they were newest. */
  readonly history = new Map<string, Entry & { prev: string }>();
  #onMessage: (() => void) | undefined;

  async open(): Promise<void> {
    const channel = keys.channel(this.room);
    await subscriber.subscribe(channel, (message) => {
      this.published.push(message);
      this.#onMessage?.();
    });
  }

  /** The stream is what the model says; every entry names the one before it; `last` is the newest (L1, L3). */
  async check(trimmed: boolean): Promise<void> {
    const [raw, last] = await Promise.all([
      redis.xrange(keys.log(this.room), '-', '+'),
      redis.hget(keys.head(this.room), 'last'),
    ]);
    const entries = raw.map(([cursor, [, prev = '', , type = '', , data = '']]) => ({
      cursor,
      prev,
      type,
      data,
    }));
    const expected = this.model.log ?? [];
    expect(entries.map(({ type, data }) => ({ type, data }))).toEqual(expected);
    if (entries.length > 0 && this.model.log) expect(last).toBe(entries.at(-1)?.cursor);
    for (const [i, { cursor, prev, type, data }] of entries.entries()) {
      if (i > 0 || !trimmed) expect(prev).toBe(entries[i - 1]?.cursor ?? '');
      const before = this.history.get(cursor);
      if (before) expect({ prev, type, data }).toEqual(before);
      this.history.set(cursor, { prev, type, data });
      this.cursors.add(cursor);
    }
    const ttls = await Promise.all([redis.pttl(keys.log(this.room)), redis.pttl(keys.head(this.room))]);
    if (entries.length > 0) for (const ttl of ttls) expect(ttl).toBeGreaterThan(0);
    await this.#checkFlags();
  }

  /** A flag is up where it was raised, for a time, and nowhere behind an end (C1). */
  async #checkFlags(): Promise<void> {
    for (const id of ['one', 'two']) {
      const ttlMs = await redis.pttl(keys.cancel(this.room, id));
      if (this.model.cancelled.has(id)) expect(ttlMs).toBeGreaterThan(0);
      else expect(ttlMs).toBe(-2);
    }
  }

  /** What `read` answers from every cursor that ever was (R1). */
  async checkReads(): Promise<void> {
    const log = await redis.xrange(keys.log(this.room), '-', '+');
    const ids = log.map(([id]) => id);
    const last = await redis.hget(keys.head(this.room), 'last');
    for (const cursor of this.cursors) {
      const at = ids.indexOf(cursor);
      const page = await roomLog.read(this.room, cursor, 3);
      if (at < 0 || last === null) expect(page).toBeUndefined();
      else
        expect(page).toEqual({
          last,
          entries: ids.slice(at + 1, at + 4).map((id) => {
            const entry = this.history.get(id);
            return { cursor: id, type: entry?.type, data: entry?.data };
          }),
        });
    }
  }

  /** Everything that was written was published, in its order, naming the entry before it (L2). */
  async checkPublished(): Promise<void> {
    const { written, drawn } = this.model;
    await new Promise<void>((resolve) => {
      this.#onMessage = () => {
        if (this.published.length >= written.length + drawn) resolve();
      };
      this.#onMessage();
    });
    const logged = this.published.filter((message) => !message.startsWith('- - '));
    expect(this.published.length - logged.length).toBe(drawn);
    const told = logged.map((message) => {
      const [prev = '', cursor = '', type = '', ...data] = message.split(' ');
      return { prev, cursor, type, data: data.join(' ') };
    });
    expect(told.map(({ type, data }) => ({ type, data }))).toEqual(written);
    for (const [i, { prev, type, cursor }] of told.entries()) {
      expect(prev).toBe(type === 'origin' ? '' : told[i - 1]?.cursor);
      const logged = this.history.get(cursor);
      if (logged) expect(logged.prev).toBe(prev);
    }
    subscriber.unsubscribe(keys.channel(this.room));
  }

  /** Loses everything of the room, as a wiped Redis does. */
  async wipe(): Promise<void> {
    const { room } = this;
    const ids = ['one', 'two'];
    await redis.del(
      keys.log(room),
      keys.head(room),
      keys.live(room),
      ...ids.flatMap((id) => [
        keys.generation(room, id),
        keys.transcript(room, id),
        keys.cancel(room, id),
        keys.html(room, id),
      ]),
    );
  }
}

const generationId = fc.constantFrom('one', 'two');
/** From the attempt that is known: mostly the same. */
const attemptsAhead = fc.constantFrom(-1, 0, 0, 0, 0, 1);
const transcript = fc.constantFrom('', 'a', '🧵\n', '\0');
const block: fc.Arbitrary<HtmlBlock> = fc.record({
  block: fc.nat(11),
  language: fc.constantFrom(null, 'ts'),
  html: fc.constantFrom('', '<p>🧵</p>\n'),
  done: fc.boolean(),
});
const blocks = fc.array(block, { maxLength: 2 });

const anyStep = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      id: generationId,
      attemptsAhead,
      // From the number that is known: a duplicate, the next, a gap.
      ahead: fc.constantFrom(-1, 0, 1, 1, 1, 1, 2),
      entries: fc.integer({ min: 0, max: 3 }),
      transcript,
      anew: fc.boolean(),
      html: blocks,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('open' as const),
      id: generationId,
      attemptsAhead,
      replace: fc.option(fc.record({ n: fc.nat(5), transcript, html: blocks }), { nil: undefined }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('tell' as const),
      ids: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 3 }),
      ends: fc.option(generationId, { nil: null, freq: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('draw' as const), id: generationId, attemptsAhead, block }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), id: generationId }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('look' as const), guess: fc.subarray(['one', 'two']) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wipe' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose head' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose log' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('trim' as const), keep: fc.integer({ min: 0, max: 4 }) }),
  },
);

type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

const attemptOf = (model: Model, { id, attemptsAhead: ahead }: { id: string; attemptsAhead: number }) =>
  Math.max(1, (model.generations.get(id)?.attempt ?? 1) + ahead);

async function play(bench: Bench, step: Step, serial: number): Promise<void> {
  const { model, room } = bench;
  const entry = (i: number): Entry => ({
    type: 'generation.chunk',
    data: JSON.stringify({ serial, i, text: 'a b' }),
  });
  switch (step.do) {
    case 'append': {
      const { id, transcript, anew, html } = step;
      const attempt = attemptOf(model, step);
      const n = Math.max(1, (model.generations.get(id)?.n ?? 0) + step.ahead);
      const entries = Array.from({ length: step.entries }, (_, i) => entry(i));
      const answer = await roomLog.append({
        room,
        generationId: id,
        attempt,
        n,
        entries,
        transcript,
        anew,
        html,
      });
      expect(answer).toBe(model.append(id, attempt, n, entries, transcript, anew, html));
      return;
    }
    case 'draw': {
      const { id, block } = step;
      const attempt = attemptOf(model, step);
      await roomLog.draw(room, { generationId: id, attempt }, block, { type: 'generation.html', ...block });
      model.draw(id, attempt, block);
      return;
    }
    case 'open': {
      const { id, replace } = step;
      const attempt = attemptOf(model, step);
      const answer = await roomLog.open(
        room,
        id,
        attempt,
        replace ? { mode: 'replace', ...replace } : { mode: 'takeOver' },
      );
      expect(answer).toEqual(model.open(id, attempt, replace));
      return;
    }
    case 'tell': {
      const events = step.ids
        .toSorted((a, b) => a - b)
        .map((outboxId, i, all) => ({
          outboxId,
          ...entry(i),
          ends: i === all.length - 1 ? step.ends : null,
        }));
      await roomLog.tell(room, events);
      for (const { outboxId, type, data, ends } of events) model.tell(outboxId, { type, data }, ends);
      return;
    }
    case 'cancel':
      await cancelFlags.raise(room, step.id);
      model.cancel(step.id);
      return;
    case 'look': {
      const view = await roomLog.look(room, step.guess);
      model.push(origin);
      expect(view.transcripts).toEqual(
        new Map(
          [...model.live].map((id) => [id, model.transcripts.get(id) ?? '']).sort() as [string, string][],
        ),
      );
      expect(view.cursor).toBe(await redis.hget(keys.head(room), 'last'));
      for (const id of ['one', 'two']) {
        expect(await roomLog.html(room, id)).toEqual(model.blocksOf(id));
        if (model.html.has(id)) expect(await redis.pttl(keys.html(room, id))).toBeGreaterThan(0);
      }
      return;
    }
    case 'wipe':
      await bench.wipe();
      model.wipe();
      return;
    case 'lose head':
      await redis.del(keys.head(room));
      model.outbox = 0;
      // The next writer finds no `last`, and begins the log anew.
      if (model.log) {
        await roomLog.look(room);
        model.log = null;
        model.push(origin);
      }
      return;
    case 'lose log':
      await redis.del(keys.log(room));
      if (model.log) model.log = [];
      return;
    case 'trim':
      await redis.xtrim(keys.log(room), 'MAXLEN', step.keep);
      if (model.log) model.log = step.keep === 0 ? [] : model.log.slice(-step.keep);
      return;
  }
}

describe('the scripts of the room log', () => {
  test('keep their invariants, whatever workers, relays and losses do, in any order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 40 }), async (steps) => {
        const bench = new Bench();
        await bench.open();
        for (const [serial, step] of steps.entries()) {
          await play(bench, step, serial);
          // A log that begins with something else than its origin has been trimmed.
          const trimmed = bench.model.log?.[0] !== undefined && bench.model.log[0] !== origin;
          await bench.check(trimmed);
        }
        await bench.checkReads();
        await bench.checkPublished();
        await bench.wipe();
      }),
      { numRuns: 300 },
    );
  }, 120_000);

  test('write for two attempts that race only what the newer one says after it has opened', async () => {
    const bench = new Bench();
    const { room } = bench;
    const append = (attempt: number, n: number, transcript: string) =>
      roomLog.append({ room, generationId: 'one', attempt, n, entries: [], transcript, anew: false });
    await roomLog.open(room, 'one', 1, { mode: 'takeOver' });
    const old = Array.from({ length: 20 }, (_, i) => append(1, i + 1, `${i} `));
    const opened = roomLog.open(room, 'one', 2, { mode: 'takeOver' });
    const zombie = Array.from({ length: 20 }, (_, i) => append(1, i + 21, 'zombie'));
    const young = Array.from({ length: 20 }, (_, i) => append(2, i + 1, `${i} `));
    expect(new Set(await Promise.all(old))).toEqual(new Set(['ok']));
    const text = Array.from({ length: 20 }, (_, i) => `${i} `).join('');
    expect(await opened).toEqual({ status: 'ok', transcript: text });
    expect(new Set(await Promise.all(zombie))).toEqual(new Set(['fenced']));
    expect(new Set(await Promise.all(young))).toEqual(new Set(['ok']));
    expect(await roomLog.transcript(room, 'one')).toBe(text + text);
    await bench.wipe();
  });

  test('leave no cancel flag behind, in whichever order an end is told and a cancel is raised', async () => {
    const bench = new Bench();
    const { room } = bench;
    const flag = keys.cancel(room, 'one');
    await roomLog.open(room, 'one', 1, { mode: 'takeOver' });
    await cancelFlags.raise(room, 'one');
    expect(await redis.pttl(flag)).toBeGreaterThan(0);
    await roomLog.tell(room, [{ outboxId: 1, type: 'generation.cancelled', data: '{}', ends: 'one' }]);
    expect(await redis.exists(flag)).toBe(0);
    await cancelFlags.raise(room, 'one');
    expect(await redis.exists(flag)).toBe(0);
    await bench.wipe();
  });

  test('forget nothing of a log that is longer than a page is read', async () => {
    const bench = new Bench();
    const { room } = bench;
    const { cursor } = await roomLog.look(room);
    for (let i = 1; i <= 25; i += 1)
      await roomLog.tell(room, [{ outboxId: i, type: 'message.created', data: `{"i":${i}}`, ends: null }]);
    const seen: string[] = [];
    for (let after = cursor; ;) {
      const page = await roomLog.read(room, after, 10);
      const last = page?.entries.at(-1);
      if (!last) break;
      seen.push(...(page?.entries ?? []).map(({ data }) => data));
      after = last.cursor;
    }
    expect(seen).toEqual(Array.from({ length: 25 }, (_, i) => `{"i":${i + 1}}`));
    await bench.wipe();
  });
});

describe('a cursor is of one entry alone', () => {
  const newRoom = (): Room => conversationRoom(randomUUID());
  const tell = (room: Room, outboxId: number) =>
    roomLog.tell(room, [{ outboxId, type: 'message.created', data: `{"n":${outboxId}}`, ends: null }]);
  const newestOf = async (room: Room) => (await redis.hget(keys.head(room), 'last')) ?? '';
  const millisecondOf = (cursor: string) => cursor.split('-')[0] ?? '';

  /** A room whose clock is far behind: its newest entry is of a time to come. */
  async function roomOfTheFuture(): Promise<Room> {
    const room = newRoom();
    await redis.xadd(keys.log(room), '99999999999999-0', 'p', '', 't', 'origin', 'd', '{}');
    await redis.hset(keys.head(room), 'last', '99999999999999-0');
    return room;
  }

  const forget = (...rooms: Room[]) =>
    Promise.all(rooms.map((room) => redis.del(keys.log(room), keys.head(room))));

  test('and continues no other room, though both were written in the same millisecond', async () => {
    const rooms = Array.from({ length: 300 }, newRoom);
    await Promise.all(rooms.map((room) => roomLog.look(room)));
    await Promise.all(rooms.map((room) => tell(room, 1)));
    const cursors = (await Promise.all(rooms.map((room) => redis.xrange(keys.log(room), '-', '+')))).flatMap(
      (entries) => entries.map(([id]) => id),
    );
    expect(cursors).toHaveLength(600);
    expect(new Set(cursors.map(millisecondOf)).size).toBeLessThan(500);
    expect(new Set(cursors).size).toBe(600);
    const first = rooms[0] ?? newRoom();
    const pages = await Promise.all(cursors.map((cursor) => roomLog.read(first, cursor, 1)));
    expect(pages.filter((page) => page !== undefined)).toHaveLength(2);
    await forget(...rooms);
  });

  test('and continues nothing after a loss, though the log begins anew in the same millisecond', async () => {
    const room = newRoom();
    for (let i = 0; i < 100; i += 1) {
      const { cursor } = await roomLog.look(room);
      const [, again] = await Promise.all([forget(room), roomLog.look(room)]);
      expect(again.cursor).not.toBe(cursor);
      expect(await roomLog.read(room, cursor, 1)).toBeUndefined();
      await forget(room);
    }
  });

  test('and continues nothing where a replica took over that had not got it, with its clock behind', async () => {
    const room = await roomOfTheFuture();
    await tell(room, 1);
    const replica = await Promise.all(
      [keys.log(room), keys.head(room)].map(async (key) => ({ key, value: await redis.dumpBuffer(key) })),
    );
    await tell(room, 2);
    const lost = await newestOf(room);
    for (const { key, value } of replica) await redis.restore(key, 0, value, 'REPLACE');
    await tell(room, 2);
    expect(await newestOf(room)).not.toBe(lost);
    expect(await roomLog.read(room, lost, 1)).toBeUndefined();
    await forget(room);
  });

  test('which comes behind all before it, though the clock has gone back and `last` is lost', async () => {
    const room = await roomOfTheFuture();
    const seen = [await newestOf(room)];
    for (const lose of [
      () => Promise.resolve(),
      () => redis.del(keys.head(room)),
      () => redis.xtrim(keys.log(room), 'MAXLEN', 0),
      () => Promise.all([redis.xtrim(keys.log(room), 'MAXLEN', 0), redis.del(keys.head(room))]),
    ]) {
      await lose();
      await tell(room, seen.length);
      seen.push(await newestOf(room));
    }
    for (const [i, cursor] of seen.entries())
      if (i > 0) expect(isAtOrBefore(cursor, seen[i - 1] ?? ''), seen.join(' < ')).toBe(false);
    await forget(room);
  });
});
