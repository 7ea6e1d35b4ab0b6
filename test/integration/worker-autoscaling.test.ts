import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { startTestApi, type TestApi } from './api/test-api.js';

const manifest = parse(
  readFileSync(
    fileURLToPath(new URL('../../ops/kubernetes/worker-autoscaling.yaml', import.meta.url)),
    'utf8',
  ),
) as { spec: { triggers: { metadata: { query: string } }[] } };

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

async function waitedSeconds(): Promise<number> {
  const query = manifest.spec.triggers[0]?.metadata.query ?? '';
  const { rows } = await api.db.execute<{ coalesce: number }>(sql.raw(query));
  expect(rows).toHaveLength(1);
  return Number(rows[0]?.coalesce);
}

test('the query that workers are scaled by tells how long the oldest queued answer has waited', async () => {
  expect(await waitedSeconds()).toBe(0);
  const ada = await api.signIn('Ada');
  const { id } = (await ada.call('POST', '/v1/conversations', {})).body as { id: string };
  await ada.call('POST', `/v1/conversations/${id}/messages`, { content: 'Is anybody there?' });
  await api.db.execute(sql`update generations set queued_at = now() - interval '42 seconds'`);
  const waited = await waitedSeconds();
  expect(waited).toBeGreaterThan(41);
  expect(waited).toBeLessThan(60);
});
