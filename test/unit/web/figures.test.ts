import { expect, test } from 'vitest';
import { toLive } from '../../../src/client/live-generation.js';
import { endedFigures, liveFigures } from '../../../web/src/room/figures.js';
import { generation } from '../client/sample.js';

const usage = { inputTokens: 0, outputTokens: 0, cacheReadInputTokens: 0, cacheCreationInputTokens: 0 };

test('a cached answer is said to be one, and of tokens that no model wrote nothing is told', () => {
  const head = generation('g', 'completed', { usage, costUsd: 0 });
  expect(endedFigures({ ...head, cached: true })).toMatchObject({ cached: true, tokens: null, costUsd: 0 });
  expect(endedFigures(head)).toMatchObject({ cached: false, tokens: 0 });
});

test('a rate is told only over a time that says something of the model', () => {
  const head = generation('g', 'running');
  const rateAfter = (writingMs: number) => {
    const metrics = {
      ...head.metrics,
      firstTokenMs: 400,
      durationMs: 400 + writingMs,
      tokensPerSecond: 21_000,
    };
    const progress = { metrics, estimatedPercent: 1, estimatedOutputTokens: 21, stage: null };
    return liveFigures({ ...toLive({ ...head, text: '', content: [] }), progress }).tokensPerSecond;
  };
  expect(rateAfter(1)).toBeNull();
  expect(rateAfter(1000)).toBe(21_000);
});
