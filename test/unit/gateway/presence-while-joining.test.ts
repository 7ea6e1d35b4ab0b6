import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import type { Frame } from '../../../src/gateway/frame.js';
import { LogReader } from '../../../src/gateway/log-reader.js';
import { RoomWatcher, type WatcherOptions } from '../../../src/gateway/room-watcher.js';
import { ownRight } from '../../../src/gateway/watch-right.js';
import type { RoomListener } from '../../../src/redis/room-feed.js';
import type { ConversationSnapshot } from '../../../src/wire/room-events.js';
import { FakeLog } from '../../support/fake-log.js';

test('who joins is told of the last presence that was told meanwhile, behind the answer to the join; of typing not', async () => {
  const sent: Frame[] = [];
  let listener: RoomListener | undefined;
  const watcher = new RoomWatcher({
    room: 'conversation:0199aaaa-0000-7000-8000-000000000001',
    hub: {
      watch: (_room: string, given: RoomListener) => {
        listener = given;
        return Promise.resolve({ last: '1-1', fill: () => undefined, close: () => undefined });
      },
    } as unknown as WatcherOptions['hub'],
    reader: new LogReader(
      new FakeLog(
        () => Promise.resolve(),
        () => undefined,
      ).roomLog,
    ),
    sink: { congested: false, send: (frame) => sent.push(frame), drained: () => Promise.resolve() },
    snapshot: () => {
      listener?.unlogged({ type: 'presence', data: '{"users":[1]}' });
      listener?.unlogged({ type: 'typing', data: '{}' });
      listener?.unlogged({ type: 'presence', data: '{"users":[1,2]}' });
      return Promise.resolve({ cursor: '1-1', snapshot: {} as ConversationSnapshot });
    },
    right: ownRight,
    onEnd: () => undefined,
    log: pino({ level: 'silent' }),
  });
  await watcher.join(undefined);
  expect(sent).toEqual([]);
  watcher.start();
  await vi.waitFor(() => {
    expect(sent.map(({ data }) => data)).toEqual(['{"users":[1,2]}']);
  });
  listener?.unlogged({ type: 'presence', data: '{"users":[2]}' });
  expect(sent).toHaveLength(2);
});
