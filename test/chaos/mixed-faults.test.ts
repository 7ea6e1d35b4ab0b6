import { expect, test } from 'vitest';
import { runChaos } from './mixed/run-chaos.js';

/** `npm run chaos` takes longer, and other seeds. */
test('under faults of all kinds, mixed by a seed, everybody sees the same and nothing is lost', async () => {
  const said: string[] = [];
  const { violations, ends, events } = await runChaos({
    seed: 7,
    durationMs: 40_000,
    say: (line) => said.push(line),
  });
  expect(violations, said.join(', ')).toEqual([]);
  expect(ends.completed).toBeGreaterThan(0);
  expect(events).toBeGreaterThan(100);
}, 300_000);
