import { setTimeout as sleep } from 'node:timers/promises';
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
  const shown = async (figure: string) => {
    const text = await registry.metrics();
    for (const name of names) expect(text).toMatch(new RegExp(`^${name} [\\d.e-]+$`, 'm'));
    return Number(new RegExp(`(?<=^nodejs_eventloop_lag_${figure}_seconds ).*`, 'm').exec(text)?.[0]);
  };
  // Behind the first look, from which on they are compared.
  await sleep(150);
  block(400);
  await sleep(150);
  expect(await shown('max')).toBeGreaterThan(0.25);
  // What is shown next is of the time since then; with that between two looks it would be a tenth of a second at least.
  await expect.poll(() => shown('max'), { interval: 250, timeout: 10_000 }).toBeLessThan(0.05);
});
