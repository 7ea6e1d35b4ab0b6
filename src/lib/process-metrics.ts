import { monitorEventLoopDelay } from 'node:perf_hooks';
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client';

/** How often the event loop is looked at: each look wakes a process that may have nothing else to do. */
const lookMs = 100;
/** prom-client looks at it every 10 ms, wherever it is asked for the others; so rarely it never does. */
const neverMs = 2 ** 31 - 1;

const lagName = 'nodejs_eventloop_lag_seconds';
const figures = [
  { name: 'nodejs_eventloop_lag_min_seconds', what: 'least', of: (late: Late) => late.min },
  { name: 'nodejs_eventloop_lag_max_seconds', what: 'most', of: (late: Late) => late.max },
  { name: 'nodejs_eventloop_lag_mean_seconds', what: 'mean', of: (late: Late) => late.mean },
  {
    name: 'nodejs_eventloop_lag_stddev_seconds',
    what: 'standard deviation',
    of: (late: Late) => late.deviation,
  },
  {
    name: 'nodejs_eventloop_lag_p50_seconds',
    what: '50th percentile',
    of: (late: Late) => late.quantile(50),
  },
  {
    name: 'nodejs_eventloop_lag_p90_seconds',
    what: '90th percentile',
    of: (late: Late) => late.quantile(90),
  },
  {
    name: 'nodejs_eventloop_lag_p99_seconds',
    what: '99th percentile',
    of: (late: Late) => late.quantile(99),
  },
] as const;

/** How late the looks were, in seconds. */
interface Late {
  min: number;
  max: number;
  mean: number;
  deviation: number;
  quantile: (percent: number) => number;
}

/**
 * Adds what prom-client shows of every Node process to a registry. The event loop is looked at ten times a second instead
 * of a hundred times, which took a third of what a process costs that has nothing to do; and the figures say how late the
 * looks were, without the time between them.
 */
export function registerProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: neverMs });
  for (const name of [lagName, ...figures.map((figure) => figure.name)]) registry.removeSingleMetric(name);
  const registers = [registry];
  new Gauge({
    name: lagName,
    help: 'How long the event loop takes to come round, seen when it is asked for.',
    registers,
    async collect() {
      const askedAt = performance.now();
      await new Promise((resolve) => setImmediate(resolve));
      this.set((performance.now() - askedAt) / 1000);
    },
  });
  const looks = monitorEventLoopDelay({ resolution: lookMs });
  looks.enable();
  const seconds = (ns: number) => Math.max(0, ns / 1e9 - lookMs / 1000);
  const gauges = figures.map(({ name, what, of }, at) => ({
    of,
    gauge: new Gauge({
      name,
      help: `How late the event loop was since it was last asked for: ${what}.`,
      registers,
      // The first sets them all, so that they are of the same time.
      ...(at === 0 && {
        collect: () => {
          collect();
        },
      }),
    }),
  }));
  const collect = () => {
    // Asked twice between two looks: what was seen last stays.
    if (looks.count === 0) return;
    const late: Late = {
      min: seconds(looks.min),
      max: seconds(looks.max),
      mean: seconds(looks.mean),
      deviation: looks.stddev / 1e9,
      quantile: (percent) => seconds(looks.percentile(percent)),
    };
    for (const { gauge, of } of gauges) gauge.set(of(late));
    looks.reset();
  };
}
