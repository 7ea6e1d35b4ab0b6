import type { UsageFigures, UsageReport } from '../../../src/client/index.js';

/** All that a model has read, from the cache or not. */
export const readTokens = ({
  inputTokens,
  cacheReadInputTokens,
  cacheCreationInputTokens,
}: UsageFigures): number => inputTokens + cacheReadInputTokens + cacheCreationInputTokens;

export const allTokens = (figures: UsageFigures): number => readTokens(figures) + figures.outputTokens;

/** What the chart shows: money, or tokens where none of them had a price. */
export interface Measure {
  name: 'Cost' | 'Tokens';
  of: (figures: UsageFigures) => number;
}

export const measureOf = ({ totals }: UsageReport): Measure =>
  totals.costUsd > 0 || allTokens(totals) === 0
    ? { name: 'Cost', of: ({ costUsd }) => costUsd }
    : { name: 'Tokens', of: allTokens };

/** One part of a day's bar. `shade` counts from the dearest model on. */
export interface Part {
  name: string;
  shade: number;
  value: number;
}

export interface Bar {
  /** `YYYY-MM-DD`, UTC. */
  day: string;
  parts: readonly Part[];
  total: number;
}

/** So many models have a shade of their own. */
const namedModels = 3;

/** The models by name in the order of their shades; the rest is one. */
export function shadesOf({ models }: UsageReport): string[] {
  const names = models.map(({ model }) => model);
  if (names.length <= namedModels + 1) return names;
  return [...names.slice(0, namedModels), `${names.length - namedModels} others`];
}

export function barsOf(report: UsageReport, measure: Measure): Bar[] {
  const names = shadesOf(report);
  return report.days.map(({ day, models }) => {
    const values = names.map(() => 0);
    for (const one of models) {
      const at = names.indexOf(one.model);
      const shade = at < 0 ? names.length - 1 : at;
      values[shade] = (values[shade] ?? 0) + measure.of(one);
    }
    const parts = names.map((name, shade) => ({ name, shade, value: values[shade] ?? 0 }));
    return { day, parts, total: parts.reduce((sum, { value }) => sum + value, 0) };
  });
}

/** `12 % below the 30 before`; null where there is nothing to compare with. */
export function changeWords({ totals, previous, days }: UsageReport): string | null {
  if (previous.costUsd === 0 || days.length === 0) return null;
  const change = Math.round((100 * (totals.costUsd - previous.costUsd)) / previous.costUsd);
  const before = `the ${days.length} before`;
  if (change === 0) return `as in ${before}`;
  return `${Math.abs(change)} % ${change < 0 ? 'below' : 'above'} ${before}`;
}

/** One line for each day and model, for spreadsheets. */
export function csvOf({ days }: UsageReport): string {
  const head = 'day,model,answers,input,cache_read,cache_written,output,cost_usd';
  const lines = days.flatMap(({ day, models }) =>
    models.map((one) =>
      [
        day,
        quoted(one.model),
        one.generations,
        one.inputTokens,
        one.cacheReadInputTokens,
        one.cacheCreationInputTokens,
        one.outputTokens,
        one.costUsd,
      ].join(),
    ),
  );
  return [head, ...lines, ''].join('\r\n');
}

/** Names are the provider's: one that a spreadsheet would take for a formula is made text. */
const quoted = (text: string): string => `"${text.replace(/^[=+\-@]/, "'$&").replaceAll('"', '""')}"`;
