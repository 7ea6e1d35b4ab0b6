import { describe, expect, test } from 'vitest';
import { rateLimitsOf } from '../../../src/providers/rate-limit-headers.js';

const nowMs = Date.parse('2026-11-21T12:00:00Z');
const anthropic = (headers: Record<string, string>) => rateLimitsOf('anthropic', new Headers(headers), nowMs);
const openai = (headers: Record<string, string>) => rateLimitsOf('openai', new Headers(headers), nowMs);
const mistral = (headers: Record<string, string>) => rateLimitsOf('mistral', new Headers(headers), nowMs);

describe("Anthropic's headers", () => {
  test('tell what is left of requests, of tokens, and of tokens read and written', () => {
    const limits = anthropic({
      'anthropic-ratelimit-requests-limit': '50',
      'anthropic-ratelimit-requests-remaining': '3',
      'anthropic-ratelimit-requests-reset': '2026-11-21T12:00:20Z',
      'anthropic-ratelimit-tokens-remaining': '9000',
      'anthropic-ratelimit-tokens-reset': '2026-11-21T12:00:05.5Z',
      'anthropic-ratelimit-input-tokens-remaining': '0',
      'anthropic-ratelimit-input-tokens-reset': '2026-11-21T14:00:30+02:00',
      'anthropic-ratelimit-output-tokens-remaining': '8000',
      'anthropic-ratelimit-output-tokens-reset': '2026-11-21T11:59:00Z',
    });
    expect(limits).toEqual([
      { of: 'requests', limit: 50, remaining: 3, resetMs: 20_000 },
      { of: 'tokens', limit: null, remaining: 9000, resetMs: 5500 },
      { of: 'tokens', limit: null, remaining: 0, resetMs: 30_000 },
      { of: 'tokens', limit: null, remaining: 8000, resetMs: 0 },
    ]);
  });

  test.each([
    ['Sat, 21 Nov 2026 13:00:00 GMT', 10_000],
    ['Sat, 21 Nov 2026 12:00:01 GMT', 3_610_000],
    ['yesterday', 3_610_000],
  ])('are read by the clock of Anthropic where that and ours are apart: %s', (date, resetMs) => {
    const limits = anthropic({
      date,
      'anthropic-ratelimit-requests-remaining': '0',
      'anthropic-ratelimit-requests-reset': '2026-11-21T13:00:10Z',
    });
    expect(limits).toMatchObject([{ resetMs }]);
  });
});

describe("OpenAI's headers", () => {
  test.each([
    ['20ms', 20],
    ['0.5s', 500],
    ['6m0s', 360_000],
    ['1h2m3.5s', 3_723_500],
    ['1d', 86_400_000],
    ['7', 7000],
  ])('tell the reset as a duration: %s', (reset, resetMs) => {
    const limits = openai({
      'x-ratelimit-limit-tokens': '160000',
      'x-ratelimit-remaining-tokens': '0',
      'x-ratelimit-reset-tokens': reset,
    });
    expect(limits).toEqual([{ of: 'tokens', limit: 160_000, remaining: 0, resetMs }]);
  });

  test('tell of requests, too', () => {
    const limits = openai({ 'x-ratelimit-remaining-requests': '1', 'x-ratelimit-reset-requests': '120ms' });
    expect(limits).toEqual([{ of: 'requests', limit: null, remaining: 1, resetMs: 120 }]);
  });
});

describe("Mistral's headers", () => {
  test('tell what is left of a minute, and the reset sometimes; of a month nothing is heard', () => {
    const limits = mistral({
      'x-ratelimit-limit-req-minute': '60',
      'x-ratelimit-remaining-req-minute': '0',
      'x-ratelimit-remaining-tokens-minute': '47196',
      'x-ratelimit-reset-tokens-minute': '12',
      'x-ratelimit-remaining-tokens-month': '0',
    });
    expect(limits).toEqual([
      { of: 'requests', limit: 60, remaining: 0, resetMs: 60_000 },
      { of: 'tokens', limit: null, remaining: 47_196, resetMs: 12_000 },
    ]);
  });

  test('of older servers tell of tokens alone', () => {
    const headers = { 'ratelimitbysize-remaining': '499900', 'ratelimitbysize-reset': '28' };
    expect(mistral(headers)).toEqual([{ of: 'tokens', limit: null, remaining: 499_900, resetMs: 28_000 }]);
  });
});

test.each<Record<string, string>>([
  {},
  { 'x-ratelimit-remaining-requests': '0' },
  { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': 'soon' },
  { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '' },
  { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '-5s' },
  { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '5 parsecs' },
  { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '1e9s' },
  { 'x-ratelimit-remaining-requests': '-1', 'x-ratelimit-reset-requests': '5s' },
  { 'x-ratelimit-remaining-requests': 'none', 'x-ratelimit-reset-requests': '5s' },
  { 'x-ratelimit-remaining-requests': '', 'x-ratelimit-reset-requests': '5s' },
  { 'x-ratelimit-remaining-requests': '0x1', 'x-ratelimit-reset-requests': '5s' },
  { 'x-ratelimit-remaining-requests': '9'.repeat(40), 'x-ratelimit-reset-requests': '5s' },
  // Of what there is nothing at all, there never will be.
  {
    'x-ratelimit-limit-requests': '0',
    'x-ratelimit-remaining-requests': '0',
    'x-ratelimit-reset-requests': '5s',
  },
])('what makes no sense tells nothing: %j', (headers) => {
  expect(openai(headers)).toEqual([]);
});

test.each(['now', '2026-13-40', '99', ''])('nor does a time that is none: %j', (reset) => {
  const limits = anthropic({
    'anthropic-ratelimit-requests-remaining': '0',
    'anthropic-ratelimit-requests-reset': reset,
    'anthropic-ratelimit-tokens-remaining': '5',
    'anthropic-ratelimit-tokens-reset': '2026-11-21T12:00:05Z',
  });
  expect(limits).toEqual([{ of: 'tokens', limit: null, remaining: 5, resetMs: 5000 }]);
});
