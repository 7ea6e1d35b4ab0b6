import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LogReader } from '../../../src/gateway/log-reader.js';
import type { RoomLog } from '../../../src/redis/room-log.js';
import { conversationRoom } from '../../../src/wire/room.js';

const room = conversationRoom('0199aaaa-0000-7000-8000-000000000001');
const other = conversationRoom('0199aaaa-0000-7000-8000-000000000002');
const entry = { cursor: '2-2', type: 'event', data: '{"type":"event"}' };
const page = { last: '2-2', entries: [entry] };

const read = vi.fn<RoomLog['read']>();
let reader: LogReader;

beforeEach(() => {
  vi.useFakeTimers();
  read.mockReset().mockResolvedValue(page);
  reader = new LogReader({ read } as Partial<RoomLog> as RoomLog);
});
afterEach(() => {
  vi.useRealTimers();
});

test('500 clients that come back at once are served from one read of the log', async () => {
  const got = await Promise.all(Array.from({ length: 500 }, () => reader.read(room, '1-1')));
  expect(read).toHaveBeenCalledOnce();
  expect(new Set(got).size).toBe(1);
  expect(got[0]?.map(({ cursor }) => cursor)).toEqual(['2-2']);
});

test('so are those who come a little behind them, and not those who come much later', async () => {
  await reader.read(room, '1-1');
  vi.advanceTimersByTime(400);
  await reader.read(room, '1-1');
  expect(read).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(200);
  await reader.read(room, '1-1');
  expect(read).toHaveBeenCalledTimes(2);
});

test('another place or another room is another read', async () => {
  await reader.read(room, '1-1');
  await reader.read(room, '1-0');
  await reader.read(other, '1-1');
  expect(read).toHaveBeenCalledTimes(3);
});

test('that there was nothing more is asked again, as is what could not be continued, or not be read', async () => {
  read.mockResolvedValueOnce({ last: '1-1', entries: [] });
  expect(await reader.read(room, '1-1')).toEqual([]);
  read.mockResolvedValueOnce(undefined);
  expect(await reader.read(room, '1-1')).toBeUndefined();
  read.mockRejectedValueOnce(new Error('away'));
  await expect(reader.read(room, '1-1')).rejects.toThrow('away');
  expect(await reader.read(room, '1-1')).toHaveLength(1);
});
