import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client';

/** How often the event loop is looked at: each look wakes a process that may have nothing else to do. */
const lookMs = 100;
/** prom-client looks at it every 10 ms, wherever it is asked for the others; so rarely it never does. */
const neverMs = 2 ** 31 - 1;

/** In ns, of the time from look to look. */
const figures: Record<string, (looks: IntervalHistogram) => number> = {
  min: ({ min }) => min,
  max: ({ max }) => max,
  mean: ({ mean }) => mean,
  p50: (looks) => looks.percentile(50),
  p90: (looks) => looks.percentile(90),
  p99: (looks) => looks.percentile(99),
};

const nameOf = (figure: string) => `nodejs_eventloop_lag_${figure}_seconds`;
const helpOf = (figure: string) => `How late the event loop was since it was last asked for: ${figure}.`;

/**
 * Adds what prom-client shows of every Node process to a registry. The event loop is looked at ten times a second instead
 * of a hundred times, which took a third of what a process costs that has nothing to do; and the figures say how late the
 * looks were since they were last asked for, without the time between them. They begin with the first look behind that: what
 * begins to hold the event loop up before it is not seen.
 */
export function registerProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: neverMs });
  for (const figure of [...Object.keys(figures), 'stddev']) registry.removeSingleMetric(nameOf(figure));
  const looks = monitorEventLoopDelay({ resolution: lookMs });
  looks.enable();
  // The first that is asked, which sets them all: so they are of the same time.
  new Gauge({
    name: nameOf('stddev'),
    help: helpOf('standard deviation'),
    registers: [registry],
    collect() {
      // Asked twice between two looks: what was seen last stays.
      if (looks.count === 0) return;
      this.set(looks.stddev / 1e9);
      for (const { of, gauge } of gauges) gauge.set(Math.max(0, of(looks) / 1e9 - lookMs / 1000));
      looks.reset();
    },
  });
  const gauges = Object.entries(figures).map(([figure, of]) => ({
    of,
    gauge: new Gauge({ name: nameOf(figure), help: helpOf(figure), registers: [registry] }),
  }));
}
