import { pino } from 'pino';
import { expect, test } from 'vitest';
import { RoomFeed } from '../../../src/redis/room-feed.js';
import { FakeLog } from '../../support/fake-log.js';

const room = 'conversation:0199aaaa-0000-7000-8000-000000000001';

test('a feed whose subscription is made again while it takes its place misses nothing of that time', async () => {
  let answer: () => void = () => undefined;
  const onItsWay = new Promise<void>((resolve) => {
    answer = resolve;
  });
  let turns = 0;
  // The second turn is the way of the first answer; all others take no time.
  const log = new FakeLog(
    () => ((turns += 1) === 2 ? onItsWay : Promise.resolve()),
    () => undefined,
  );
  const feed = new RoomFeed(room, log.roomLog, pino({ level: 'silent' }));
  const delivered = new Promise<string>((resolve) => {
    feed.add({
      entry: ({ cursor }) => {
        resolve(cursor);
      },
      unlogged: () => undefined,
      reset: () => undefined,
    });
  });

  feed.start(Promise.resolve());
  while (turns < 2) await Promise.resolve();
  // Nobody is told of this entry: the connection is lost, and back before the place is known.
  log.append();
  feed.fill();
  answer();
  expect(await delivered).toBe(log.last);
});
