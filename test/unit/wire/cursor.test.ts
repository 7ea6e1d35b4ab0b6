import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isAtOrBefore, isCursor, noCursor } from '../../../src/wire/cursor.js';

const part = fc.oneof(
  fc.bigInt(0n, (1n << 64n) - 1n),
  fc.bigInt(0n, 20n),
  fc.constantFrom(9n, 10n, 99n, 100n),
);
const place = fc.tuple(part, part);
const cursorOf = ([ms, sequence]: readonly [bigint, bigint]) => `${ms}-${sequence}`;

describe('a cursor', () => {
  test('is before another as its pair of numbers is', () => {
    fc.assert(
      fc.property(place, place, (a, b) => {
        const expected = a[0] < b[0] || (a[0] === b[0] && a[1] <= b[1]);
        expect(isAtOrBefore(cursorOf(a), cursorOf(b))).toBe(expected);
      }),
    );
  });

  test('is any pair of 64-bit numbers', () => {
    fc.assert(
      fc.property(place, (pair) => {
        expect(isCursor(cursorOf(pair))).toBe(true);
      }),
    );
    expect(isCursor(noCursor)).toBe(true);
  });

  test.each([
    '',
    '-',
    '1',
    '1-',
    '-1',
    '1-1-1',
    '01-1',
    '1-01',
    '1.0-1',
    ' 1-1',
    '1-1\n',
    '+1-1',
    1,
    null,
    ['1-1'],
  ])('is not %j', (value) => {
    expect(isCursor(value)).toBe(false);
  });
});
