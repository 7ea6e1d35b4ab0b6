import { describe, expect, test } from 'vitest';
import { counted, dayLabel, initials, ordinal, seconds, titleFrom } from '../../../web/src/lib/format.js';
import { parsePath } from '../../../web/src/router.js';
import { conversationId } from '../client/sample.js';

describe('what the page writes', () => {
  test('seconds have two digits that count', () => {
    expect([420, 1900, 12_300, -5].map(seconds)).toEqual(['0.42 s', '1.9 s', '12 s', '0.00 s']);
  });

  test('one is not plural', () => {
    expect([counted(1, 'event'), counted(1212, 'event')]).toEqual(['1 event', '1,212 events']);
  });

  test('places in line are ordinals', () => {
    expect([1, 2, 3, 4, 11, 12, 21].map(ordinal)).toEqual([
      '1st',
      '2nd',
      '3rd',
      '4th',
      '11th',
      '12th',
      '21st',
    ]);
  });

  test('initials do not cut a character in half', () => {
    expect([initials('Ada'), initials('𝒜da'), initials(' X ')]).toEqual(['Ad', '𝒜d', 'X']);
  });

  test('days are those of the reader, not spans of 24 hours', () => {
    const now = new Date(2026, 10, 21, 0, 30);
    const ago = (days: number, hour: number) => new Date(2026, 10, 21 - days, hour).toISOString();
    expect(
      [ago(0, 0), ago(1, 23), ago(1, 0), ago(3, 12), ago(9, 12)].map((iso) => dayLabel(iso, now)),
    ).toEqual(['Today', 'Yesterday', 'Yesterday', 'Last week', 'Earlier']);
  });

  test('a title is the first line, cut at a word', () => {
    expect(titleFrom('  Hello there\nmore')).toBe('Hello there');
    const long = titleFrom('Memory climbs to 1.1 GB with slow clients and nobody knows where it sits');
    expect(long).toBe('Memory climbs to 1.1 GB with slow clients and nobody knows…');
    expect(titleFrom('😀'.repeat(60)).isWellFormed()).toBe(true);
  });
});

test('addresses are the start, a conversation, or unknown', () => {
  expect(parsePath('/')).toEqual({ page: 'home' });
  expect(parsePath(`/c/${conversationId}`)).toEqual({ page: 'room', conversationId });
  expect(parsePath('/c/../x')).toEqual({ page: 'unknown' });
});
