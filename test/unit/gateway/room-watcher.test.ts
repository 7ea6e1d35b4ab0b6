import type { Duplex } from 'node:stream';
import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, test, vi } from 'vitest';
import type { Frame } from '../../../src/gateway/frame.js';
import { LogReader } from '../../../src/gateway/log-reader.js';
import {
  RoomWatcher,
  type GroupMember,
  type Sink,
  type WatcherOptions,
} from '../../../src/gateway/room-watcher.js';
import { StraightPaths, type StraightPath } from '../../../src/gateway/straight-path.js';
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
  /** Its engine holds packets of its own: it cannot be written to together with others. */
  busy = false;
  /** Entries that it got together with others. */
  shared = 0;
  readonly #path: Pick<StraightPath, 'connection' | 'rooms'>;
  #waiting: (() => void)[] = [];

  constructor(
    private readonly fake: FakeLog,
    private readonly paths: StraightPaths,
  ) {
    const write = (bytes: Buffer) => {
      for (const { type, cursor, data } of eventsOf(bytes)) {
        this.shared += 1;
        this.#got(type, cursor, data);
      }
      return !this.congested;
    };
    const connection = { writable: true, write } as Partial<Duplex> as Duplex;
    const rooms: StraightPath['rooms'] = new Map();
    const line = () => (this.busy ? undefined : connection);
    this.#path = {
      rooms,
      get connection() {
        return line();
      },
    };
  }

  join(of: typeof room, cursor: string, member: GroupMember) {
    return this.paths.join(of, this.#path as StraightPath, cursor, member);
  }

  /** As the path does when the engine gets a packet. */
  hold(): void {
    for (const [of, member] of this.#path.rooms) of.dismiss(member);
    this.busy = true;
  }

  joined(cursor: string): void {
    this.place = cursor;
  }

  send({ type, cursor, data }: Frame): void {
    this.#got(type, cursor, data);
  }

  #got(type: string, cursor: string | undefined, data: string): void {
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

/** What stands in the frames of a WebSocket. */
function eventsOf(bytes: Buffer): { type: string; cursor: string; data: string }[] {
  if (bytes.length === 0) return [];
  const length = bytes[1] ?? 0; // none is longer than 125 bytes
  const [type, { cursor, ...data }] = JSON.parse(bytes.toString('utf8', 4, 2 + length)) as [
    string,
    { cursor: string },
  ];
  return [{ type, cursor, data: JSON.stringify(data) }, ...eventsOf(bytes.subarray(2 + length))];
}

type Step =
  | {
      do:
        'append' | 'append unheard' | 'wipe' | 'wipe behind' | 'fill' | 'congest' | 'drain' | 'hold' | 'free';
    }
  | { do: 'join'; after: number };

const plain = (...names: Exclude<Step['do'], 'join'>[]) =>
  fc.constantFrom(...names).map((name) => ({ do: name }));
const join = fc.record({ do: fc.constant('join' as const), after: fc.nat() });

const hubOf = (feed: RoomFeed): Pick<WatcherOptions['hub'], 'watch'> => ({
  watch: async (_room, listener) => {
    let current = listener;
    feed.add(listener);
    await feed.started;
    return {
      get last() {
        return feed.last;
      },
      fill: () => {
        feed.fill();
      },
      listen: (next) => {
        feed.add(next);
        feed.remove(current);
        current = next;
      },
      close: () => {
        feed.remove(current);
      },
    };
  },
});

interface Place {
  fake: FakeLog;
  feed: RoomFeed;
  reader: LogReader;
}

const watcherOf = (client: Client, { fake, feed, reader }: Place) =>
  new RoomWatcher({
    room,
    hub: hubOf(feed) as WatcherOptions['hub'],
    reader,
    sink: client,
    snapshot: async () => ({ cursor: (await fake.roomLog.look(room)).cursor, snapshot: emptyRoom }),
    right: ownRight,
    onEnd: () => client.faults.push('the watching was ended'),
    log,
  });

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
  const reader = new LogReader(fake.roomLog);
  const paths = new StraightPaths();
  const clients: Client[] = [];
  const watchers: RoomWatcher[] = [];
  const add = (after: number) => {
    const client = new Client(fake, paths);
    clients.push(client);
    const watcher = watcherOf(client, { fake, feed, reader });
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
        case 'hold':
          for (const client of clients.slice(1)) client.hold();
          break;
        case 'free':
          for (const client of clients) client.busy = false;
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
    let together = 0;
    const step: fc.Arbitrary<Step> = fc.oneof(
      { weight: 6, arbitrary: plain('append') },
      { weight: 4, arbitrary: plain('append unheard', 'fill', 'congest', 'drain', 'hold', 'free') },
      { weight: 2, arbitrary: join },
    );
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(step, { maxLength: 30 }), async (scheduler, steps) => {
        for (const { snapshots, shared } of await play(scheduler, steps)) {
          expect(snapshots).toBe(0);
          together += shared;
        }
      }),
      { numRuns: 300 },
    );
    expect(together).toBeGreaterThan(300);
  }, 60_000);

  test('gets a snapshot where the log has begun anew, and goes on from there', async () => {
    const step: fc.Arbitrary<Step> = fc.oneof(
      { weight: 6, arbitrary: plain('append') },
      {
        weight: 4,
        arbitrary: plain('append unheard', 'wipe', 'wipe behind', 'congest', 'drain', 'hold', 'free'),
      },
      { weight: 2, arbitrary: join },
    );
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(step, { maxLength: 30 }), async (scheduler, steps) => {
        await play(scheduler, steps);
      }),
      { numRuns: 300 },
    );
  }, 60_000);

  test('is not held up by what was read a moment before the log fell behind it', async () => {
    const feeds: RoomFeed[] = [];
    const fake = new FakeLog(
      () => Promise.resolve(),
      (message) => feeds[0]?.publication(message),
    );
    const feed = new RoomFeed(room, fake.roomLog, log);
    feed.start(Promise.resolve());
    await feed.started;
    feeds.push(feed);
    const reader = new LogReader(fake.roomLog);
    const after = fake.last;
    fake.append();
    const middle = fake.last;
    await reader.read(room, after);
    fake.append();
    await reader.read(room, middle);
    fake.wipe({ behind: true });
    await vi.waitUntil(() => feed.last === fake.last, { interval: 1 });
    const client = new Client(fake, new StraightPaths());
    const watcher = watcherOf(client, { fake, feed, reader });
    client.joined((await watcher.join(after)).cursor);
    watcher.start();
    fake.append();
    await vi.waitUntil(() => client.place === fake.last, { interval: 1, timeout: 5000 });
    watcher.close();
    expect(client.faults).toEqual([]);
  });
});
