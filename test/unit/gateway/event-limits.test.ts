import { beforeEach, expect, test } from 'vitest';
import { EventLimits, type LimitedEvent } from '../../../src/gateway/event-limits.js';

let nowMs: number;
let limits: EventLimits;

beforeEach(() => {
  nowMs = 1000;
  limits = new EventLimits(() => nowMs);
});

/** How many pass before one is refused, and what it is told. */
function drain(event: LimitedEvent): { passed: number; refusal: unknown } {
  for (let passed = 0; ; passed += 1)
    try {
      limits.take(event);
    } catch (refusal) {
      return { passed, refusal };
    }
}

test.each<[LimitedEvent, number, number]>([
  ['join', 300, 30_000],
  ['leave', 600, 30_000],
  ['typing', 100, 10_000],
  ['authenticate', 30, 60_000],
])('%s is taken %i times in %i ms, then again', (event, most, windowMs) => {
  const seconds = windowMs / 1000;
  expect(drain(event)).toEqual({
    passed: most,
    refusal: expect.objectContaining({
      code: 'rate_limited',
      retryAfterSeconds: seconds,
      message: `A socket may send "${event}" at most ${most} times in ${seconds} s: try again in ${seconds} s.`,
    }) as unknown,
  });
  nowMs += windowMs - 1;
  expect(drain(event)).toMatchObject({ passed: 0, refusal: { retryAfterSeconds: 1 } });
  nowMs += 1;
  expect(drain(event).passed).toBe(most);
});

test('what one event has used up, another still has', () => {
  drain('typing');
  expect(drain('join').passed).toBe(300);
});

test('a flood is one of all events together, within ten seconds', () => {
  const admitted = () => {
    let count = 0;
    while (limits.admit()) count += 1;
    return count;
  };
  expect(admitted()).toBe(1500);
  nowMs += 9999;
  expect(admitted()).toBe(0);
  nowMs += 1;
  expect(admitted()).toBe(1500);
});
