import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { registerProcessMetrics } from '../../../src/lib/process-metrics.js';

const names = ['', '_min', '_max', '_mean', '_stddev', '_p50', '_p90', '_p99'].map(
  (figure) => `nodejs_eventloop_lag${figure}_seconds`,
);

/** Keeps the event loop from coming round. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

test('the event loop is shown by the names of prom-client, without the time between two looks', async () => {
  const registry = new Registry();
  registerProcessMetrics(registry);
  expect(names.filter((name) => registry.getSingleMetric(name) === undefined)).toEqual([]);
  expect(registry.getSingleMetric('nodejs_heap_size_used_bytes')).toBeDefined();
  const most = async () => {
    const shown = await registry.metrics();
    for (const name of names) expect(shown).toMatch(new RegExp(`^${name} [\\d.e-]+$`, 'm'));
    return Number(/(?<=^nodejs_eventloop_lag_max_seconds ).*/m.exec(shown)?.[0]);
  };
  // Behind the first look, from which on they are compared.
  await new Promise((resolve) => setTimeout(resolve, 150));
  block(400);
  let seen = 0;
  await expect.poll(async () => (seen = await most())).toBeGreaterThan(0.25);
  expect(seen).toBeLessThan(0.49);
  // What is shown next is of the time since then.
  await expect.poll(most).toBeLessThan(0.25);
});
