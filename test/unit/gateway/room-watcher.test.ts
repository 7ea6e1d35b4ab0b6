import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, test, vi } from 'vitest';
import type { Frame } from '../../../src/gateway/frame.js';
import { LogReader } from '../../../src/gateway/log-reader.js';
import { RoomWatcher, type Sink, type WatcherOptions } from '../../../src/gateway/room-watcher.js';
import { ownRight } from '../../../src/gateway/watch-right.js';
import { RoomFeed } from '../../../src/redis/room-feed.js';
import type { ConversationSnapshot } from '../../../src/wire/room-events.js';
import { FakeLog } from '../../support/fake-log.js';

const room = 'conversation:0199aaaa-0000-7000-8000-000000000001';
const log = pino({ level: 'silent' });
const emptyRoom = {} as ConversationSnapshot;

/** A client that takes what it gets, or is behind for a while; checks that it gets the log and nothing else. */
class Client implements Sink {
  congested = false;
  place: string | undefined;
  snapshots = 0;
  readonly faults: string[] = [];
  #waiting: (() => void)[] = [];

  constructor(private readonly fake: FakeLog) {}

  joined(cursor: string): void {
    this.place = cursor;
  }

  send({ type, cursor, data }: Frame): void {
    if (this.place === undefined) this.faults.push(`${cursor} came before the answer to the join`);
    if (type === 'snapshot') {
      this.snapshots += 1;
    } else {
      const entry = cursor === undefined ? undefined : this.fake.history.get(cursor);
      if (!entry || entry.prev !== this.place || entry.data !== data)
        this.faults.push(`${cursor} came behind ${this.place}`);
    }
    this.place = cursor;
  }

  drained(): Promise<void> {
    if (!this.congested) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  drain(): void {
    this.congested = false;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

type Step =
  | { do: 'append' | 'append unheard' | 'wipe' | 'wipe behind' | 'fill' | 'congest' | 'drain' }
  | { do: 'join'; after: number };

const plain = (...names: Exclude<Step['do'], 'join'>[]) =>
  fc.constantFrom(...names).map((name) => ({ do: name }));
const join = fc.record({ do: fc.constant('join' as const), after: fc.nat() });

/** Clients join and are slow, while the log goes on, in an order of the scheduler's choice. */
async function play(scheduler: fc.Scheduler, steps: readonly Step[]): Promise<Client[]> {
  const turn = () => scheduler.schedule(Promise.resolve());
  let heard = false;
  const fake = new FakeLog(turn, (message) => {
    if (!heard) return;
    void turn().then(() => {
      feed.publication(message);
    });
  });
  const feed = new RoomFeed(room, fake.roomLog, log);
  feed.start(Promise.resolve());
  const hub: Pick<WatcherOptions['hub'], 'watch'> = {
    watch: async (_room, listener) => {
      feed.listeners.add(listener);
      await feed.started;
      return {
        get last() {
          return feed.last;
        },
        fill: () => {
          feed.fill();
        },
        close: () => feed.listeners.delete(listener),
      };
    },
  };
  const reader = new LogReader(fake.roomLog);
  const clients: Client[] = [];
  const watchers: RoomWatcher[] = [];
  const add = (after: number) => {
    const client = new Client(fake);
    clients.push(client);
    const watcher = new RoomWatcher({
      room,
      hub: hub as WatcherOptions['hub'],
      reader,
      sink: client,
      snapshot: async () => ({ cursor: (await fake.roomLog.look(room)).cursor, snapshot: emptyRoom }),
      right: ownRight,
      onEnd: () => client.faults.push('the watching was ended'),
      log,
    });
    watchers.push(watcher);
    const cursors = [...fake.history.keys()];
    void watcher.join(cursors[after % (cursors.length + 1)]).then(({ cursor }) => {
      client.joined(cursor);
      watcher.start();
    });
  };
  add(0);
  scheduler.scheduleSequence(
    steps.map((step) => () => {
      heard = step.do !== 'append unheard';
      switch (step.do) {
        case 'append':
        case 'append unheard':
          fake.append();
          break;
        case 'wipe':
          fake.wipe();
          break;
        case 'wipe behind':
          fake.wipe({ behind: true });
          break;
        case 'fill':
          feed.fill();
          break;
        case 'congest':
          for (const client of clients) client.congested = true;
          break;
        case 'drain':
          for (const client of clients) client.drain();
          break;
        case 'join':
          add(step.after);
          break;
      }
      return Promise.resolve();
    }),
  );
  await scheduler.waitIdle();
  for (const client of clients) client.drain();
  feed.fill();
  // A watcher that waits for the feed looks again after a while.
  await vi.waitUntil(
    async () => {
      await scheduler.waitIdle();
      return clients.every(({ place }) => place === fake.last);
    },
    { interval: 1, timeout: 5000 },
  );
  // And live from there on.
  heard = true;
  fake.append();
  await vi.waitUntil(
    async () => {
      await scheduler.waitIdle();
      return clients.every(({ place }) => place === fake.last);
    },
    { interval: 1, timeout: 5000 },
  );
  for (const watcher of watchers) watcher.close();
  for (const { faults } of clients) expect(faults).toEqual([]);
  return clients;
}

describe('a client of a room', () => {
  test('gets every entry behind its place once and in order, however it joins and whatever is slow or lost', async () => {
    const step: fc.Arbitrary<Step> = fc.oneof(
      { weight: 6, arbitrary: plain('append') },
      { weight: 4, arbitrary: plain('append unheard', 'fill', 'congest', 'drain') },
      { weight: 2, arbitrary: join },
    );
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(step, { maxLength: 30 }), async (scheduler, steps) => {
        for (const { snapshots } of await play(scheduler, steps)) expect(snapshots).toBe(0);
      }),
      { numRuns: 300 },
    );
  }, 60_000);

  test('gets a snapshot where the log has begun anew, and goes on from there', async () => {
    const step: fc.Arbitrary<Step> = fc.oneof(
      { weight: 6, arbitrary: plain('append') },
      { weight: 4, arbitrary: plain('append unheard', 'wipe', 'wipe behind', 'congest', 'drain') },
      { weight: 2, arbitrary: join },
    );
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(step, { maxLength: 30 }), async (scheduler, steps) => {
        await play(scheduler, steps);
      }),
      { numRuns: 300 },
    );
  }, 60_000);
});
