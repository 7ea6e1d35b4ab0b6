import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, test, vi } from 'vitest';
import { RoomFeed } from '../../../src/redis/room-feed.js';
import type { RoomLog } from '../../../src/redis/room-log.js';
import { FakeLog } from '../../support/fake-log.js';

const room = 'conversation:0199aaaa-0000-7000-8000-000000000001';
const log = pino({ level: 'silent' });

/** Checks that what a feed delivers is the chain of the log's entries from its place on. */
class Chain {
  resets = 0;
  readonly faults: string[] = [];
  #place: string | undefined;

  constructor(
    private readonly feed: RoomFeed,
    private readonly fake: () => FakeLog,
  ) {
    feed.add({
      entry: ({ cursor, data }) => {
        const entry = this.fake().history.get(cursor);
        // What comes before `started` is behind a place that only the feed knows.
        if (data !== entry?.data || (this.#place !== undefined && entry.prev !== this.#place))
          this.faults.push(`${cursor} came behind ${this.#place}`);
        this.#place = cursor;
      },
      unlogged: () => undefined,
      reset: () => {
        this.resets += 1;
        this.#place = this.feed.last;
      },
    });
  }

  begin(): void {
    this.#place = this.feed.last;
  }
}

type Fate = 'at once' | 'late' | 'twice' | 'lost';
type Step = { do: 'append'; fate: Fate } | { do: 'wipe'; fate: Fate } | { do: 'trim' } | { do: 'fill' };

const fate = fc.constantFrom<Fate>('at once', 'at once', 'late', 'twice', 'lost');
const append = fc.record({ do: fc.constant('append' as const), fate });
const harmless = fc.oneof({ weight: 8, arbitrary: append }, fc.record({ do: fc.constant('fill' as const) }));
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: append },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wipe' as const), fate }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('trim' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fill' as const) }) },
);

/** Plays the steps in an order of the scheduler's choice with the answers of the log and the late publications. */
async function play(scheduler: fc.Scheduler, steps: readonly Step[]): Promise<Chain> {
  let current: Fate = 'at once';
  const turn = () => scheduler.schedule(Promise.resolve());
  const later = (message: string) => {
    void turn().then(() => {
      feed.publication(message);
    });
  };
  const publish = (message: string) => {
    if (!started || current === 'lost') return;
    if (current === 'late')
      return void turn().then(() => {
        later(message);
      });
    if (current === 'twice') later(message);
    later(message);
  };
  let started = false;
  const newest = { lost: false };
  const fake = new FakeLog(turn, publish);
  const feed = new RoomFeed(room, fake.roomLog, log);
  const chain = new Chain(feed, () => fake);
  started = true;
  feed.start(Promise.resolve());
  void feed.started.then(() => {
    chain.begin();
  });
  scheduler.scheduleSequence(
    steps.map((step) => () => {
      if ('fate' in step) {
        current = step.fate;
        newest.lost = step.fate === 'lost';
      }
      switch (step.do) {
        case 'append':
          fake.append();
          break;
        case 'wipe':
          fake.wipe();
          break;
        case 'trim':
          fake.trim();
          break;
        case 'fill':
          feed.fill();
          break;
      }
      return Promise.resolve();
    }),
  );
  await scheduler.waitIdle();
  // Only where the newest entry's publication was lost has the feed not come to it by itself.
  if (!newest.lost) expect(feed.last).toBe(fake.last);
  feed.fill();
  await scheduler.waitIdle();
  expect(feed.last).toBe(fake.last);
  expect(chain.faults).toEqual([]);
  return chain;
}

describe('a feed', () => {
  test('delivers the log, entry by entry, whatever becomes of the publications', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(harmless, { maxLength: 30 }), async (scheduler, steps) => {
        const chain = await play(scheduler, steps);
        expect(chain.resets).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  test('says so where the log cannot be continued, and goes on from a new place', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(anyStep, { maxLength: 30 }), async (scheduler, steps) => {
        await play(scheduler, steps);
      }),
      { numRuns: 500 },
    );
  });

  test('reads the log again when that fails', async () => {
    const published: string[] = [];
    const fake = new FakeLog(
      () => Promise.resolve(),
      (message) => published.push(message),
    );
    const { roomLog } = fake;
    let failures = 2;
    const flaky = {
      look: roomLog.look.bind(roomLog),
      read: ((...args) =>
        failures-- > 0 ? Promise.reject(new Error('away')) : roomLog.read(...args)) satisfies RoomLog['read'],
    } as Partial<RoomLog> as RoomLog;
    const feed = new RoomFeed(room, flaky, log);
    feed.start(Promise.resolve());
    await feed.started;
    for (let i = 0; i < 3; i += 1) fake.append();
    const seen: string[] = [];
    await new Promise<void>((resolve) => {
      feed.add({
        entry: ({ cursor }) => {
          seen.push(cursor);
          if (cursor === fake.last) resolve();
        },
        unlogged: () => undefined,
        reset: () => undefined,
      });
      feed.publication(published.at(-1) ?? '');
    });
    expect(seen).toEqual(fake.entries.slice(-3).map(({ cursor }) => cursor));
  });

  test('that is told to look while it reads looks again: what it missed may be behind what was read', async () => {
    const ways: (() => void)[] = [];
    let isSlow = false;
    const fake = new FakeLog(
      () => (isSlow ? new Promise((resolve) => ways.push(resolve)) : Promise.resolve()),
      () => undefined,
    );
    const feed = new RoomFeed(room, fake.roomLog, log);
    feed.start(Promise.resolve());
    await feed.started;
    const delivered = new Promise<void>((resolve) => {
      feed.add({
        entry: ({ cursor }) => {
          if (cursor === fake.last) resolve();
        },
        unlogged: () => undefined,
        reset: () => undefined,
      });
    });
    isSlow = true;
    feed.fill();
    ways.shift()?.(); // the log has answered
    await vi.waitUntil(() => ways.length > 0);
    isSlow = false;
    fake.append();
    feed.fill(); // the subscription stands again, and nobody was told of the entry
    ways.shift()?.(); // the answer comes
    await delivered;
  });

  test('passes on what is not logged, without a place', async () => {
    const fake = new FakeLog(
      () => Promise.resolve(),
      () => undefined,
    );
    const feed = new RoomFeed(room, fake.roomLog, log);
    feed.start(Promise.resolve());
    await feed.started;
    const seen: unknown[] = [];
    feed.add({
      entry: (entry) => seen.push(entry),
      unlogged: (event) => seen.push(event),
      reset: () => seen.push('reset'),
    });
    feed.publication('- - typing {"text":"a b"}');
    expect(seen).toEqual([{ type: 'typing', data: '{"text":"a b"}' }]);
    expect(feed.last).toBe(fake.last);
  });
});
