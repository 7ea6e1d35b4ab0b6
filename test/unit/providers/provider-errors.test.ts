import { expect, test } from 'vitest';
import { retryAfterMs } from '../../../src/providers/provider-errors.js';

const nowMs = Date.parse('2026-11-21T12:00:00Z');

test.each([
  [{ 'retry-after-ms': '250' }, 250],
  [{ 'retry-after-ms': '250', 'retry-after': '9' }, 250],
  [{ 'retry-after': '9' }, 9000],
  [{ 'retry-after': '0.5' }, 500],
  [{ 'retry-after': 'Sat, 21 Nov 2026 12:00:30 GMT' }, 30_000],
  [{ 'retry-after': 'Sat, 21 Nov 2026 11:00:00 GMT' }, 0],
  [{ 'retry-after': 'soon' }, null],
  [{}, null],
])('%j asks to wait %s ms', (headers, expected) => {
  expect(retryAfterMs(new Headers(headers), nowMs)).toBe(expected);
});
