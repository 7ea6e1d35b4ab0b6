import { expect, test } from 'vitest';
import { fromUserSnapshot, reduceUser } from '../../../src/client/user-state.js';
import type { RoomEventWith, UserSnapshot } from '../../../src/wire/room-events.js';
import { conversation } from './sample.js';

const at = (minute: number) => `2026-11-21T12:0${minute}:00.000Z`;
const listed = (id: string, minute: number, changes = {}) =>
  conversation({ id, updatedAt: at(minute), ...changes });
const activity = (changed: ReturnType<typeof conversation>): RoomEventWith<UserSnapshot> => ({
  type: 'conversation.activity',
  room: 'user:ada',
  at: at(9),
  conversation: changed,
});

test('lists the last changed conversation first', () => {
  const state = fromUserSnapshot({ conversations: [listed('a', 1), listed('b', 2)], documents: [] }, '1-0');
  expect(state.conversations.map(({ id }) => id)).toEqual(['b', 'a']);
  expect(state.cursor).toBe('1-0');
});

test('moves what changed to its place, and takes in what is new', () => {
  const state = fromUserSnapshot({ conversations: [listed('a', 1), listed('b', 2)], documents: [] }, '1-0');
  const moved = reduceUser(state, activity(listed('a', 3, { unread: 2, running: 1 })));
  expect(moved.conversations).toMatchObject([{ id: 'a', unread: 2, running: 1 }, { id: 'b' }]);
  const grown = reduceUser(moved, activity(listed('c', 2)));
  expect(grown.conversations.map(({ id }) => id)).toEqual(['a', 'c', 'b']);
});

test('leaves the lists alone at any other event', () => {
  const state = fromUserSnapshot({ conversations: [listed('a', 1)], documents: [] }, '1-0');
  expect(reduceUser(state, { type: 'session.expiring', at: at(1) })).toBe(state);
});
