import { afterAll, beforeAll, expect, test } from 'vitest';
import { metric, metricsOf } from '../support/metrics.js';
import { describedMetrics, seriesOf } from '../support/metrics-table.js';
import { Person } from '../support/person.js';
import { startSystem, type System, type SystemProcess } from '../support/system.js';

let system: System;
let generationId: string;
const queue = 'queue="generations-demo"';

beforeAll(async () => {
  system = await startSystem({ env: { DEFAULT_MODEL: 'demo' } });
  const ada = await Person.signIn(system.api(), 'Ada');
  const conversationId = await ada.converse();
  const socket = ada.socket(conversationId);
  await socket.connect();
  const { generation } = await ada.ask(conversationId, 'Say something.', { maxTokens: 60 });
  generationId = generation.id;
  const stream = await fetch(`${system.api().url}/v1/generations/${generationId}/events`, {
    headers: { authorization: `Bearer ${ada.token}` },
  });
  await stream.text();
  await socket.ended(generationId);
  ada.leave();
});
afterAll(() => system.stop());

const scrape = async ({ url }: SystemProcess) => (await fetch(`${url}/metrics`)).text();

/** The metrics of ours that a process has: name and type, and the labels that are in use. */
async function shown(process: SystemProcess): Promise<{ name: string; type: string; labels: string[] }[]> {
  const text = await scrape(process);
  return [...text.matchAll(/^# TYPE (tokencast_\w+) (\w+)$/gm)].map(([, name = '', type = '']) => {
    const labels = new Set<string>();
    for (const series of seriesOf({ name, type }))
      for (const [, pairs = ''] of text.matchAll(new RegExp(`^${series}\\{(.*)\\} `, 'gm')))
        for (const [, label = ''] of pairs.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g))
          if (label !== 'le') labels.add(label);
    return { name, type, labels: [...labels] };
  });
}

test('one answer is in the metrics of its worker and its api', async () => {
  const [api, worker] = [system.api(), system.worker()];
  await expect.poll(() => metric(worker, 'tokencast_generations_running')).toBe(0);
  const ofWorker = await metricsOf(worker);
  const ofApi = await metricsOf(api);
  const one = {
    'tokencast_attempts_total{kind="first"}': 1,
    [`tokencast_queue_wait_seconds_count{${queue}}`]: 1,
    'tokencast_time_to_first_token_seconds_count{provider="demo"}': 1,
    'tokencast_generation_duration_seconds_count{provider="demo",status="completed"}': 1,
    [`tokencast_queue_depth{${queue}}`]: 0,
    [`tokencast_queue_running{${queue}}`]: 0,
    tokencast_outbox_rows: 0,
  };
  expect(Object.fromEntries([...ofWorker].filter(([name]) => name in one))).toEqual(one);
  for (const name of [
    'tokencast_tokens_total{provider="demo",kind="input"}',
    'tokencast_tokens_total{provider="demo",kind="output"}',
    'tokencast_chunk_append_seconds_count',
  ])
    expect({ name, value: ofWorker.get(name) }).toEqual({ name, value: expect.toSatisfy(isMore) as number });
  expect(
    [...ofWorker].filter(([name]) => name.startsWith('tokencast_generations_ended_total')),
  ).toMatchObject([[expect.stringContaining('status="completed"'), 1]]);
  for (const name of [
    'tokencast_chunk_gateway_seconds_count',
    'tokencast_chunk_write_seconds_count{transport="socket"}',
    'tokencast_sent_events_total{transport="socket"}',
    'tokencast_sent_bytes_total{transport="socket"}',
    'tokencast_sent_events_total{transport="event_stream"}',
    'tokencast_sent_bytes_total{transport="event_stream"}',
    'tokencast_joins_total{result="snapshot"}',
    'tokencast_http_request_duration_seconds_count{method="POST",route="/v1/conversations/:id/messages",status="202"}',
  ])
    expect({ name, value: ofApi.get(name) }).toEqual({ name, value: expect.toSatisfy(isMore) as number });
  // A chunk is not on its way for longer than the whole answer took, nor back in time.
  const spent = ofWorker.get('tokencast_generation_duration_seconds_sum{provider="demo",status="completed"}');
  const count = ofApi.get('tokencast_chunk_gateway_seconds_count') ?? 0;
  expect((ofApi.get('tokencast_chunk_gateway_seconds_sum') ?? Infinity) / count).toBeLessThan(spent ?? 0);
});

test('docs/metrics.md lists what the processes have, and nothing else', async () => {
  const described = describedMetrics();
  for (const [of, process] of [
    ['api', system.api()],
    ['worker', system.worker()],
  ] as const) {
    const listed = described.filter((metric) => metric.of === of || metric.of === 'both');
    const found = await shown(process);
    expect(found.map(({ name, type }) => `${name} ${type}`).sort()).toEqual(
      listed.map(({ name, type }) => `${name} ${type}`).sort(),
    );
    for (const { name, labels } of found) {
      const known = listed.find((metric) => metric.name === name)?.labels;
      expect({ name, unknown: labels.filter((label) => !known?.includes(label)) }).toEqual({
        name,
        unknown: [],
      });
    }
  }
});

test('no label holds an id', async () => {
  for (const process of [system.api(), system.worker()]) {
    const text = await scrape(process);
    expect(text).not.toContain(generationId);
    expect(text).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-/);
  }
});

const isMore = (value: unknown) => typeof value === 'number' && value > 0;
