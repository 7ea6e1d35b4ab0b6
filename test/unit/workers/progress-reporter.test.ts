import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ProgressReporter, type Progress } from '../../../workers/progress-reporter.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A reporter whose figures say how often it was told that something has come. */
function reporterOf() {
  let came = 0;
  const told: { at: number; came: number }[] = [];
  const reporter = new ProgressReporter({
    look: () => ({ estimatedOutputTokens: came }) as Progress,
    tell: ({ estimatedOutputTokens }) => told.push({ at: Date.now(), came: estimatedOutputTokens }),
  });
  const come = () => {
    came += 1;
    reporter.changed();
  };
  return { reporter, come, told };
}

test('tells the first at once, then at most four times a second, the last included', () => {
  const { come, told } = reporterOf();
  const from = Date.now();
  for (let ms = 0; ms < 2000; ms += 10) {
    come();
    vi.advanceTimersByTime(10);
  }
  vi.advanceTimersByTime(1000);
  expect(told.map(({ at }) => at - from)).toEqual([0, 250, 500, 750, 1000, 1250, 1500, 1750, 2000]);
  expect(told.at(-1)?.came).toBe(200);
});

test('tells nothing when nothing has come, nor after it was closed', () => {
  const { reporter, come, told } = reporterOf();
  come();
  vi.advanceTimersByTime(5000);
  expect(told).toHaveLength(1);
  come();
  come();
  reporter.close();
  vi.advanceTimersByTime(5000);
  expect(told).toHaveLength(2);
});
