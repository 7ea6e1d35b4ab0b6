/**
 * Looks at the event loop of the process that imports it every 10 ms: ten times as often as the product does. On SIGUSR2 it
 * writes what it has seen into `LOOP_FILE`, and begins anew.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const { LOOP_FILE: file = '' } = process.env;
const looks = monitorEventLoopDelay({ resolution: 10 });
looks.enable();

process.on('SIGUSR2', () => {
  const seen = { p50Ms: looks.percentile(50) / 1e6, p99Ms: looks.percentile(99) / 1e6 };
  looks.reset();
  writeFileSync(`${file}.new`, JSON.stringify(seen));
  renameSync(`${file}.new`, file);
});
