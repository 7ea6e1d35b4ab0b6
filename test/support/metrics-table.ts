import { readFileSync } from 'node:fs';

/** A metric as docs/metrics.md describes it. */
export interface DescribedMetric {
  name: string;
  type: string;
  labels: string[];
  of: string;
}

/** The rows of the table in docs/metrics.md. */
export function describedMetrics(): DescribedMetric[] {
  const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('| `tokencast_'));
  return rows.map((row) => {
    const [, name = '', type = '', labels = '', of = ''] = row.split('|').map((cell) => cell.trim());
    return {
      name: name.replaceAll('`', ''),
      type,
      labels: labels === '' ? [] : labels.replaceAll('`', '').split(', '),
      of,
    };
  });
}

/** The names under which Prometheus keeps a metric. */
export const seriesOf = ({ name, type }: Pick<DescribedMetric, 'name' | 'type'>): string[] =>
  type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
