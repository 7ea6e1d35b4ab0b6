import { expect, test } from 'vitest';
import { RoomHistory } from '../../../src/client/room-history.js';
import { fromSnapshot, type RoomState } from '../../../src/client/room-state.js';
import type { Message } from '../../../src/domain/conversation.js';
import type { Page } from '../../../src/wire/http.js';
import { conversation, conversationId, message } from './sample.js';

/** A room that holds the messages from `first` to 9, and a history whose pages the test gives. */
function historyFrom(first: number) {
  const range = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, n) => message(`m${from + n}`, from + n));
  let room: RoomState = fromSnapshot({
    conversation: conversation(),
    messages: range(first, 10),
    generations: [],
    users: [],
  });
  const asked: (string | undefined)[] = [];
  const answers: { give: (page: Page<Message>) => void; fail: () => void }[] = [];
  const history = new RoomHistory(
    {
      listMessages: (_id, query) => {
        asked.push(query?.before);
        return new Promise((give, refuse) => {
          answers.push({
            give,
            fail: () => {
              refuse(new Error('away'));
            },
          });
        });
      },
    },
    {
      getSnapshot: () => ({
        room,
        connection: { state: 'live', caughtUp: null, sessionEndsAt: null },
        transport: 'websocket',
      }),
      amend: (change) => {
        room = change(room);
      },
    },
    conversationId,
  );
  return { history, asked, answers, range, ids: () => room.messages.map(({ id }) => id) };
}

test('asks for the page before the oldest message that is held, one at a time', async () => {
  const { history, asked, answers, range, ids } = historyFrom(6);
  const loaded = history.loadOlder();
  void history.loadOlder();
  expect(history.getSnapshot()).toBe('loading');
  answers[0]?.give({ items: range(3, 6), nextBefore: 'm3' });
  await loaded;
  expect(asked).toEqual(['m6']);
  expect(history.getSnapshot()).toBe('idle');
  expect(ids()).toEqual(['m3', 'm4', 'm5', 'm6', 'm7', 'm8', 'm9']);
});

test('asks no more once the beginning is there', async () => {
  const { history, asked, answers, range } = historyFrom(3);
  const loaded = history.loadOlder();
  answers[0]?.give({ items: range(0, 3), nextBefore: null });
  await loaded;
  expect(history.getSnapshot()).toBe('complete');
  await history.loadOlder();
  expect(asked).toHaveLength(1);
});

test('can be asked again after a failure', async () => {
  const { history, asked, answers } = historyFrom(3);
  const loaded = history.loadOlder();
  answers[0]?.fail();
  await loaded;
  expect(history.getSnapshot()).toBe('failed');
  void history.loadOlder();
  expect(asked).toEqual(['m3', 'm3']);
});

test('keeps what is held when the page overlaps it, and leaves out what is still being written', async () => {
  const { history, answers, ids } = historyFrom(8);
  const loaded = history.loadOlder();
  answers[0]?.give({
    items: [message('m7', 7), message('live', 7.5, { status: 'streaming' }), message('m8', 8)],
    nextBefore: 'm7',
  });
  await loaded;
  expect(ids()).toEqual(['m7', 'm8', 'm9']);
});
