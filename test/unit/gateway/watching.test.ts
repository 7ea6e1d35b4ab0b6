import { pino } from 'pino';
import { describe, expect, test, vi } from 'vitest';
import { AppError } from '../../../src/domain/errors.js';
import { Frame } from '../../../src/gateway/frame.js';
import type { LogReader } from '../../../src/gateway/log-reader.js';
import { RoomWatcher, type Sink, type WatcherOptions } from '../../../src/gateway/room-watcher.js';
import { ownRight, type WatchRight } from '../../../src/gateway/watch-right.js';
import type { RoomHub, RoomWatch } from '../../../src/redis/room-hub.js';
import type { ConversationSnapshot } from '../../../src/wire/room-events.js';

/** A watcher at instants that chance hardly finds: what feed, log, Postgres and client do in between is the test's to say. */

const room = 'conversation:0199aaaa-0000-7000-8000-000000000001';
const log = pino({ level: 'silent' });
const entry = (cursor: string, type = 'event') => ({ cursor, type, data: `{"type":"${type}"}` });
const frame = (cursor: string, type?: string) => Frame.of(entry(cursor, type));
const viewAt = (cursor: string) => Promise.resolve({ cursor, snapshot: {} as ConversationSnapshot });

/** Everything that has been made possible happens. */
const allElse = () => new Promise((resolve) => setImmediate(resolve));

class Client implements Sink {
  /** In the order of coming, `<type> <cursor>`. */
  readonly got: string[] = [];
  /** More events than this are too much before the next `drain`. */
  capacity = Infinity;
  #pending = 0;
  #waiting: (() => void)[] = [];

  get congested(): boolean {
    return this.#pending > this.capacity;
  }

  send({ type, cursor = '-' }: Frame): void {
    this.#pending += 1;
    this.got.push(`${type} ${cursor}`);
  }

  drained(): Promise<void> {
    return this.congested ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve();
  }

  drain(): void {
    this.#pending = 0;
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** A read of the log: where from, and how it is answered. */
interface Read {
  after: string;
  answer: (frames: Frame[] | undefined) => void;
}

function stage(options: Partial<WatcherOptions> = {}) {
  const feed = { last: '1-0', listen: vi.fn(), fill: vi.fn(), close: vi.fn() } satisfies RoomWatch;
  const client = new Client();
  const reads: Read[] = [];
  const onEnd = vi.fn();
  const watcher = new RoomWatcher({
    room,
    hub: { watch: () => Promise.resolve(feed) } as Partial<RoomHub> as RoomHub,
    reader: {
      read: (_room, after) =>
        new Promise((answer) => {
          reads.push({ after, answer });
        }),
    } as Partial<LogReader> as LogReader,
    sink: client,
    right: ownRight,
    snapshot: () => viewAt('1-0'),
    onEnd,
    log,
    ...options,
  });
  /** The read that is under way. */
  const read = async () => {
    await allElse();
    const next = reads.shift();
    if (!next || reads.length > 0) throw new Error(`${reads.length} more reads are under way`);
    return next;
  };
  /** Joins behind `1-0`, and gets these frames. */
  const resume = async (frames: Frame[]) => {
    const joined = watcher.join('1-0');
    (await read()).answer(frames);
    await joined;
    watcher.start();
  };
  const goLive = async () => {
    await watcher.join(undefined);
    watcher.start();
    await allElse();
  };
  return { feed, client, watcher, reads, read, resume, goLive, onEnd };
}

describe('a client that is let go of', () => {
  test('with the last of what it had missed reads the log no more', async () => {
    const { client, watcher, reads, resume } = stage({
      onSent: ({ type }) => {
        if (type === 'last') watcher.close();
      },
    });
    await resume([frame('2-0'), frame('3-0', 'last'), frame('4-0')]);
    await allElse();
    expect(client.got).toEqual(['event 2-0', 'last 3-0']);
    expect(reads).toEqual([]);
  });

  test('with an event that is too much for it reads the log no more', async () => {
    const { client, watcher, reads, goLive } = stage({
      onSent: ({ type }) => {
        if (type === 'last') watcher.close();
      },
    });
    await goLive();
    client.capacity = 0;
    watcher.entry(entry('2-0', 'last'));
    client.drain();
    await allElse();
    expect(client.got).toEqual(['last 2-0']);
    expect(reads).toEqual([]);
  });
});

describe('a client that is behind', () => {
  test('gets nothing of what the feed has still to deliver until it has drained', async () => {
    const { client, feed, watcher, read, resume } = stage();
    client.capacity = 0;
    feed.last = '0-1';
    await resume([]);
    // The log is ahead of the feed.
    (await read()).answer([frame('2-0'), frame('3-0')]);
    await allElse();
    for (const cursor of ['2-0', '3-0']) {
      feed.last = cursor;
      watcher.entry(entry(cursor));
    }
    expect(client.got).toEqual(['event 2-0']);
    client.drain();
    const next = await read();
    expect(next.after).toBe('2-0');
    next.answer([frame('3-0')]);
    await allElse();
    expect(client.got).toEqual(['event 2-0', 'event 3-0']);
  });

  test('again at the very moment at which it had caught up gets everything once', async () => {
    const { client, feed, watcher, read, resume } = stage();
    feed.last = '0-1';
    await resume([]);
    const first = await read();
    // Between the watcher's coming to the live edge and the end of the step that brought it there.
    const deliverNext = () => {
      Object.defineProperty(feed, 'last', { value: '4-0', writable: true });
      queueMicrotask(() => {
        client.capacity = 0;
        watcher.entry(entry('3-0'));
      });
      return '2-0';
    };
    Object.defineProperty(feed, 'last', { get: deliverNext, configurable: true });
    first.answer([frame('2-0')]);
    await allElse();
    client.capacity = Infinity;
    client.drain();
    (await read()).answer([frame('4-0')]);
    await allElse();
    expect(client.got).toEqual(['event 2-0', 'event 3-0', 'event 4-0']);
  });
});

test('a log that begins anew while it is read, on a clock that is behind, ends in a snapshot', async () => {
  const { client, feed, watcher, read, resume } = stage({ snapshot: () => viewAt('3-0') });
  feed.last = '0-1';
  await resume([]);
  const reading = await read();
  feed.last = '3-0';
  watcher.reset();
  reading.answer([frame('5-0')]);
  await allElse();
  expect(client.got).toEqual(['event 5-0', 'snapshot 3-0']);
  watcher.entry(entry('3-1'));
  expect(client.got.at(-1)).toBe('event 3-1');
});

describe('a right to watch', () => {
  /** Postgres says what the test says, when it says so. */
  function rightOf() {
    const asked: { stands: (answer: boolean) => void; fail: () => void }[] = [];
    const farewell = vi.fn<WatchRight['farewell']>(() =>
      Promise.resolve(new Frame('farewell', undefined, '{}')),
    );
    const right: WatchRight = {
      isQuestionedBy: ({ type }) => type === 'question',
      stands: () =>
        new Promise((stands, reject) => {
          asked.push({
            stands,
            fail: () => {
              reject(new Error('Postgres is away'));
            },
          });
        }),
      farewell,
    };
    return { asked, farewell, right };
  }

  test('that an event of the past questions stands, and the client goes on behind it', async () => {
    const { asked, right } = rightOf();
    const { client, read, resume, onEnd } = stage({ right });
    await resume([frame('2-0', 'question'), frame('3-0')]);
    await allElse();
    expect(client.got).toEqual(['question 2-0']);
    asked[0]?.stands(true);
    const next = await read();
    expect(next.after).toBe('2-0');
    next.answer([frame('3-0')]);
    await allElse();
    expect(client.got).toEqual(['question 2-0', 'event 3-0']);
    expect(onEnd).not.toHaveBeenCalled();
  });

  test('that has gone ends the watching with the event that said so, however slow the client is', async () => {
    const { asked, farewell, right } = rightOf();
    const { client, feed, watcher, goLive, onEnd } = stage({ right });
    await goLive();
    client.capacity = 0;
    watcher.entry(entry('2-0', 'question'));
    watcher.entry(entry('3-0'));
    asked[0]?.stands(false);
    await vi.waitFor(() => {
      expect(onEnd).toHaveBeenCalledOnce();
    });
    expect(client.got).toEqual(['question 2-0']);
    expect(farewell).not.toHaveBeenCalled();
    expect(feed.close).toHaveBeenCalledOnce();
  });

  test('keeps everything back for as long as Postgres does not say', async () => {
    const { asked, right } = rightOf();
    const { client, watcher, goLive, onEnd } = stage({ right });
    await goLive();
    watcher.entry(entry('2-0', 'question'));
    watcher.entry(entry('3-0'));
    watcher.unlogged({ type: 'typing', data: '{}' });
    watcher.reset();
    asked[0]?.fail();
    await vi.waitFor(() => {
      expect(asked).toHaveLength(2);
    });
    expect(client.got).toEqual(['question 2-0']);
    asked[1]?.stands(false);
    await vi.waitFor(() => {
      expect(onEnd).toHaveBeenCalledOnce();
    });
    expect(client.got).toEqual(['question 2-0']);
  });

  test('that has gone is told to whom the log does not tell it', async () => {
    const { asked, right } = rightOf();
    const { client, watcher, goLive, onEnd } = stage({ right, wants: ({ type }) => type !== 'question' });
    await goLive();
    watcher.entry(entry('2-0', 'question'));
    asked[0]?.stands(false);
    await vi.waitFor(() => {
      expect(onEnd).toHaveBeenCalledOnce();
    });
    expect(client.got).toEqual(['farewell -']);
  });

  test('that is refused a snapshot is told that it has gone, as soon as Postgres says how', async () => {
    const { farewell, right } = rightOf();
    farewell.mockRejectedValueOnce(new Error('Postgres is away'));
    const snapshot = vi.fn(() => viewAt('1-0'));
    const { client, watcher, goLive, onEnd } = stage({ right, snapshot });
    await goLive();
    snapshot.mockRejectedValue(new AppError('not_found', 'There is no such room.'));
    watcher.reset();
    await vi.waitFor(() => {
      expect(onEnd).toHaveBeenCalledOnce();
    });
    expect(client.got).toEqual(['farewell -']);
    expect(farewell).toHaveBeenCalledTimes(2);
  });

  test('is nobody’s who has left meanwhile', async () => {
    const { asked, right } = rightOf();
    const { client, watcher, goLive, onEnd } = stage({ right, wants: () => false });
    await goLive();
    watcher.entry(entry('2-0', 'question'));
    await allElse();
    watcher.close();
    asked[0]?.stands(false);
    await allElse();
    expect(client.got).toEqual([]);
    expect(onEnd).not.toHaveBeenCalled();
  });
});
