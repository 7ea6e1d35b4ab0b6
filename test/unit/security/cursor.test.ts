import { expect, test } from 'vitest';
import { isCursor } from '../../../src/wire/cursor.js';

test.for([
  '0-0',
  '1-1',
  '1795300531000-12',
  '18446744073709551615-18446744073709551615',
  '9999999999999999999-0',
])('%s is a cursor', (cursor) => {
  expect(isCursor(cursor)).toBe(true);
});

test.for([
  '',
  '-',
  '1',
  '1-',
  '-1-1',
  '01-1',
  '1-1-1',
  '1-1\n',
  ' 1-1',
  '+',
  '$',
  '(1-1',
  '18446744073709551616-0',
  '0-18446744073709551616',
  '99999999999999999999-0',
  '１-1',
  7,
  null,
  ['1-1'],
])('%s is none', (value) => {
  expect(isCursor(value)).toBe(false);
});
