import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PresenceTracker } from '../../../src/gateway/presence-tracker.js';
import type { GatewayLeases, Renewal } from '../../../src/redis/gateway-leases.js';
import type { Presence } from '../../../src/redis/presence.js';
import { conversationRoom, type Room } from '../../../src/wire/room.js';

const renewMs = 3000;
const renewalsOfAll = 20;
const ada = { id: 'ada', name: 'Ada' };
const rooms = Array.from({ length: 40 }, (_, n) =>
  conversationRoom(`0199aaaa-0000-7000-8000-${String(n).padStart(12, '0')}`),
);
const first = rooms[0] as Room;

const set = vi.fn<Presence['set']>();
const tell = vi.fn<Presence['tell']>();
const renew = vi.fn<() => Promise<Renewal>>();
let tracker: PresenceTracker;

beforeEach(() => {
  vi.useFakeTimers();
  vi.resetAllMocks();
  renew.mockResolvedValue({ forgotten: false, died: false });
  const presence = { set, tell } as Partial<Presence> as Presence;
  const leases = { renew, end: () => Promise.resolve() } as Partial<GatewayLeases> as GatewayLeases;
  tracker = new PresenceTracker(presence, leases, pino({ level: 'silent' }));
});
afterEach(async () => {
  await tracker.close();
  vi.useRealTimers();
});

/** Lets Ada into the rooms, and what that causes be said and told. */
async function enter(entered: readonly Room[]): Promise<void> {
  for (const room of entered) tracker.enter(room, ada);
  await vi.advanceTimersByTimeAsync(renewMs - 1);
  set.mockClear();
  tell.mockClear();
}

const roomsOf = (mock: typeof set | typeof tell) => mock.mock.calls.map(([room]) => room);

test('says all rooms again within so many renewals, each once', async () => {
  await enter(rooms);
  await vi.advanceTimersByTimeAsync(renewMs);
  expect(set).toHaveBeenCalledTimes(rooms.length / renewalsOfAll);
  await vi.advanceTimersByTimeAsync((renewalsOfAll - 1) * renewMs);
  expect(roomsOf(set).sort()).toEqual([...rooms].sort());
  expect(roomsOf(tell).sort()).toEqual([...rooms].sort());
});

test('says all rooms again at once where they may be lost', async () => {
  await enter(rooms);
  renew.mockResolvedValueOnce({ forgotten: true, died: false });
  await vi.advanceTimersByTimeAsync(renewMs);
  expect(roomsOf(set).sort()).toEqual([...rooms].sort());
  expect(set).toHaveBeenCalledWith(first, [{ ...ada, connections: 1 }]);
});

test('tells all rooms who is left when a gateway has died', async () => {
  await enter(rooms);
  renew.mockResolvedValueOnce({ forgotten: false, died: true });
  await vi.advanceTimersByTimeAsync(renewMs);
  expect(new Set(roomsOf(tell))).toEqual(new Set(rooms));
});

test('says at the next renewal what could not be said, as it is then', async () => {
  const leave = tracker.enter(first, ada);
  await enter([]);
  set.mockRejectedValueOnce(new Error('away'));
  leave();
  await vi.advanceTimersByTimeAsync(renewMs);
  expect(set.mock.calls).toEqual([
    [first, [{ ...ada, connections: 0 }]],
    [first, [{ ...ada, connections: 0 }]],
  ]);
  await vi.advanceTimersByTimeAsync(renewMs);
  expect(set).toHaveBeenCalledTimes(2);
});

test('says together what changes in one turn, of each person what is so at its end', async () => {
  const bob = { id: 'bob', name: 'Bob' };
  const leave = tracker.enter(first, ada);
  tracker.enter(first, ada);
  tracker.enter(first, bob);
  leave();
  await vi.advanceTimersByTimeAsync(0);
  expect(set.mock.calls).toEqual([
    [
      first,
      [
        { ...ada, connections: 1 },
        { ...bob, connections: 1 },
      ],
    ],
  ]);
});

test('tells at the next renewal what could not be told', async () => {
  tell.mockRejectedValueOnce(new Error('away'));
  tracker.enter(first, ada)();
  await vi.advanceTimersByTimeAsync(renewMs);
  expect(tell.mock.calls).toEqual([[first], [first]]);
});

test('renews its lease however long it takes to say everything again', async () => {
  await enter(rooms);
  set.mockReturnValue(new Promise(() => undefined));
  renew.mockResolvedValueOnce({ forgotten: true, died: false });
  renew.mockClear();
  await vi.advanceTimersByTimeAsync(3 * renewMs);
  expect(renew).toHaveBeenCalledTimes(3);
  set.mockResolvedValue();
});
