import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { describedMetrics, seriesOf } from '../support/metrics-table.js';

const read = (path: string) => readFileSync(new URL(`../../ops/${path}`, import.meta.url), 'utf8');

const series = new Map(
  describedMetrics().flatMap((metric) => seriesOf(metric).map((name) => [name, metric] as const)),
);

/** The series of ours that a text names, with the labels that it asks or sorts them by. */
function named(text: string): { name: string; labels: string[] }[] {
  return [...text.matchAll(/(?:by \(([\w, ]+)\) \([^"]*?)?\b(tokencast_\w+)(?:\{([^}]*)\})?/g)].map(
    ([, by = '', name = '', matchers = '']) => ({
      name,
      labels: [
        ...by.split(', ').filter(Boolean),
        ...[...matchers.matchAll(/(\w+)(?:=|!)/g)].map(([, label = '']) => label),
      ],
    }),
  );
}

/** Prometheus gives these to every series. */
const anybodys = ['le', 'instance', 'job'];

/** What both name must be what the processes have: docs/metrics.md, which another test holds against them. */
function unknown(text: string): string[] {
  return named(text).flatMap(({ name, labels }) => {
    const metric = series.get(name);
    if (!metric) return [name];
    const strange = labels.filter((label) => !metric.labels.includes(label) && !anybodys.includes(label));
    return strange.map((label) => `${name}{${label}}`);
  });
}

interface Panel {
  id: number;
  type: string;
  title: string;
  targets?: { expr: string }[];
}

describe('the dashboard', () => {
  const { panels } = JSON.parse(read('grafana/tokencast.json')) as { panels: Panel[] };
  const asked = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

  test('asks for nothing that no process has', () => {
    expect(asked.flatMap(unknown)).toEqual([]);
  });

  test('shows everything that the processes have', () => {
    const shown = new Set(asked.flatMap((expr) => named(expr).map(({ name }) => series.get(name)?.name)));
    expect(describedMetrics().filter(({ name }) => !shown.has(name))).toEqual([]);
  });

  test('has a number for every panel, and a question in all but its headings', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(panels.filter(({ type, targets = [] }) => type !== 'row' && targets.length === 0)).toEqual([]);
  });
});

describe('the alerts', () => {
  const rules = read('prometheus/alerts.yml')
    .split(/^ {6}- alert: /m)
    .slice(1);

  test('ask for nothing that no process has', () => {
    expect(rules.length).toBeGreaterThan(5);
    for (const rule of rules) {
      const [, expression = ''] = /expr: ([^]*?)\n {8}(?:for|labels):/.exec(rule) ?? [];
      expect(named(expression)).not.toEqual([]);
      expect(unknown(rule.replaceAll(/\s+/g, ' '))).toEqual([]);
    }
  });

  test('each says what is the matter and what to do', () => {
    for (const rule of rules) {
      expect(rule).toMatch(/severity: (warning|critical)/);
      expect(rule).toMatch(/^ {10}summary: \S/m);
      expect(rule).toMatch(/^ {10}runbook: \S.{40}/m);
    }
  });
});
