import { expect, test } from 'vitest';
import { endedFigures } from '../../../web/src/room/figures.js';
import { generation } from '../client/sample.js';

const usage = { inputTokens: 0, outputTokens: 0, cacheReadInputTokens: 0, cacheCreationInputTokens: 0 };

test('a cached answer is said to be one, and of tokens that no model wrote nothing is told', () => {
  const head = generation('g', 'completed', { usage, costUsd: 0 });
  expect(endedFigures({ ...head, cached: true })).toMatchObject({ cached: true, tokens: null, costUsd: 0 });
  expect(endedFigures(head)).toMatchObject({ cached: false, tokens: 0 });
});
