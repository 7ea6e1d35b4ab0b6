import { beforeEach, expect, test, vi } from 'vitest';
import { Memberships } from '../../../src/gateway/memberships.js';
import { PresenceLists } from '../../../src/gateway/presence-lists.js';
import { findMemberships } from '../../../src/store/conversations.js';
import type { Database } from '../../../src/store/database.js';
import type { PresentUser } from '../../../src/wire/room-events.js';
import { conversationRoom } from '../../../src/wire/room.js';

vi.mock('../../../src/store/conversations.js', () => ({ findMemberships: vi.fn() }));

const query = vi.mocked(findMemberships);
const database = {} as Partial<Database> as Database;
const memberships = new Memberships(database);

beforeEach(() => {
  query.mockReset().mockImplementation((_db, asked) => Promise.resolve(asked.map(() => undefined)));
});

test('whoever asks in one turn is answered by one query', async () => {
  query.mockImplementationOnce((_db, asked) =>
    Promise.resolve(asked.map(({ userId }) => (userId === 'ada' ? ({ role: 'owner' } as never) : undefined))),
  );
  const users = ['bob', 'ada', 'cleo'];
  const found = await Promise.all(users.map((user) => memberships.find('room', user)));
  expect(found.map((each) => each?.role)).toEqual([undefined, 'owner', undefined]);
  expect(query).toHaveBeenCalledOnce();
});

test('whoever asks while a query is under way is answered by one that begins behind the asking', async () => {
  let answer: () => void = () => undefined;
  query.mockImplementationOnce(
    () =>
      new Promise((resolve) => {
        answer = () => {
          resolve([{ role: 'member' } as never]);
        };
      }),
  );
  const before = memberships.find('room', 'ada');
  await vi.waitFor(() => {
    expect(query).toHaveBeenCalledOnce();
  });
  // Ada is removed.
  expect(await memberships.find('room', 'ada')).toBeUndefined();
  answer();
  expect((await before)?.role).toBe('member');
});

test('whoever asks in one turn who is here is told from one list, and later from another', async () => {
  const list = vi.fn(() => Promise.resolve<PresentUser[]>([]));
  const lists = new PresenceLists({ list });
  const [one, two] = ['1', '2'].map((n) => conversationRoom(`0199aaaa-0000-7000-8000-00000000000${n}`));
  if (one === undefined || two === undefined) throw new Error('two rooms');
  await Promise.all([lists.list(one), lists.list(two), lists.list(one)]);
  expect(list.mock.calls).toEqual([[one], [two]]);
  await lists.list(one);
  expect(list).toHaveBeenCalledTimes(3);
});
