import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Person } from '../support/person.js';
import { startSystem, type System } from '../support/system.js';
import { temporaryDataDir } from '../support/temporary-data-dir.js';
import { startUpstream, type Upstream } from '../support/upstream.js';

/** Statements that may read a whole table: that of what is yet to be told, which is forgotten when it has been. */
const mayScan: readonly RegExp[] = [/^select count\(\*\)::int, coalesce\(.*\)::float8 from "outbox"$/];

/** A statement, and values that it was sent with: what is planned is what the product has planned. */
interface Statement {
  text: string;
  values: unknown[];
}

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Index Cond'?: string;
  Plans?: Plan[];
}

let upstream: Upstream;
let system: System;
let client: pg.Client;
let statementsFile: string;

beforeAll(async () => {
  upstream = await startUpstream();
  upstream.answerWith('The moon pulls.');
  statementsFile = join(await temporaryDataDir(), 'statements');
  const recorder = `--import=${fileURLToPath(new URL('../support/record-statements.mjs', import.meta.url))}`;
  system = await startSystem({
    upstream,
    env: { STATEMENTS_FILE: statementsFile },
    nodeArgs: { api: [recorder], worker: [recorder] },
  });
  client = new pg.Client({ connectionString: system.databaseUrl });
  await client.connect();
}, 60_000);
afterAll(async () => {
  await client.end();
  await system.stop();
  await upstream.close();
});

test('every statement of the apis and workers finds its rows by an index', async () => {
  await liveThrough(system);
  await populate();
  const statements = await statementsOf(statementsFile);
  expect(statements.length).toBeGreaterThan(80);
  await client.query('set enable_seqscan = off; set plan_cache_mode = force_generic_plan');
  const scans: string[] = [];
  for (const statement of statements)
    for (const scan of scansOf(await planOf(statement)))
      if (!mayScan.some((pattern) => pattern.test(statement.text))) scans.push(`${scan}: ${statement.text}`);
  expect(scans).toEqual([]);
}, 120_000);

/** What people and operators do, so that each kind of statement is sent once. */
async function liveThrough(running: System): Promise<void> {
  const api = running.api();
  const [ada, bob] = await Promise.all([Person.signIn(api, 'Ada'), Person.signIn(api, 'Bob')]);
  const id = await ada.converse({ title: 'Tides' });
  const path = `/v1/conversations/${id}`;
  const look = async (at: string) => {
    const response = await fetch(`${api.url}${at}`, { headers: { authorization: `Bearer ${ada.token}` } });
    await response.text();
  };
  const socket = ada.socket(id);
  await socket.connect();
  const invite = await ada.call<{ token: string }>('POST', `${path}/invites`, {});
  await bob.call('POST', `/v1/invites/${invite.body.token}/accept`);
  const first = await ada.ask(id, 'Why are there tides?');
  await ada.ended(first.generation.id);
  const headers = { 'idempotency-key': 'once' };
  for (let n = 0; n < 2; n += 1)
    await ada.call('POST', `${path}/messages`, { content: 'Again?' }, { headers });
  await bob.call('POST', `${path}/messages`, { content: 'A remark.', generate: false, clientId: 'c' });
  const page = await ada.call<{ items: { id: string }[] }>('GET', `${path}/messages?limit=2`);
  await ada.call('GET', `${path}/messages?before=${page.body.items.at(-1)?.id ?? ''}`);
  await ada.call('POST', `${path}/read`, { position: 2 });
  await ada.call('GET', path);
  await ada.call('PATCH', path, { concurrency: 'interrupt' });
  const list = await ada.call<{ items: { id: string }[] }>('GET', '/v1/conversations?q=tides');
  await ada.call('GET', `/v1/conversations?before=${list.body.items[0]?.id ?? ''}`);
  await ada.call('GET', `${path}/members`);
  const regenerated = await ada.call<{ generation: { id: string } }>(
    'POST',
    `/v1/messages/${first.message.id}/regenerate`,
    {},
  );
  await ada.ended(regenerated.body.generation.id);
  upstream.answerByHand();
  const cancelled = await ada.ask(id, 'And now?');
  (await upstream.nextRequest(({ ended }) => !ended)).text('Half of it');
  await socket.waitFor(
    'generation.chunk',
    ({ generationId, chunk }) =>
      generationId === cancelled.generation.id && chunk.type === 'content_block_delta',
  );
  await ada.call('POST', `/v1/generations/${cancelled.generation.id}/cancel`);
  await ada.ended(cancelled.generation.id);
  upstream.answerWith('The moon pulls.');
  const continued = await ada.call<{ generation: { id: string } }>(
    'POST',
    `/v1/generations/${cancelled.generation.id}/continue`,
  );
  await ada.ended(continued.body.generation.id);
  const edited = await ada.call<{ generation: { id: string } }>('PATCH', `/v1/messages/${first.message.id}`, {
    content: 'How?',
    regenerate: true,
  });
  if (edited.status === 202) await ada.ended(edited.body.generation.id);
  await ada.call('POST', `${path}/cancel`);
  for (const asked of ['/v1/me', '/v1/usage', '/v1/models', '/readyz', '/metrics', `${path}/budget`])
    await look(asked);
  const hook = await ada.call<{ id: string }>('POST', '/v1/webhooks', {
    url: 'https://example.com/hook',
    events: ['generation.completed'],
  });
  await ada.call('GET', '/v1/webhooks');
  await ada.ended((await ada.ask(id, 'Who is told?')).generation.id);
  await ada.call('GET', `/v1/webhooks/${hook.body.id}/deliveries`);
  await ada.call('DELETE', `/v1/webhooks/${hook.body.id}`);
  const document = await ada.upload('gettysburg.html');
  const documentPath = `/v1/documents/${document.id}`;
  const watching = ada.documentSocket(document.id);
  await watching.connect();
  for (const asked of ['/v1/documents', documentPath, `${documentPath}/report.md`]) await look(asked);
  await ada.call('POST', `${documentPath}/cancel`);
  await ada.call('POST', `${documentPath}/resume`);
  await ada.call('POST', `${documentPath}/sections/0/retry`);
  await ada.call('POST', `${documentPath}/cancel`);
  await ada.call('DELETE', documentPath);
  await bob.call('DELETE', `${path}/members/${bob.user.id}`);
  await ada.call('DELETE', `/v1/messages/${first.message.id}`);
  await ada.call('DELETE', `${path}/messages`);
  await ada.call('DELETE', path);
  ada.leave();
}

/** So many rows in what grows that reading all of them would show. */
async function populate(): Promise<void> {
  await client.query(`
    insert into users (id, name) select 'u' || n, 'U' from generate_series(1, 2000) n;
    insert into conversations (id, concurrency) select gen_random_uuid(), 'queue' from generate_series(1, 2000) n;
    insert into members (conversation_id, user_id, role) select id, 'u1', 'owner' from conversations
      on conflict do nothing;
    insert into messages (id, conversation_id, role, text, content, status, position)
      select gen_random_uuid(), id, 'user', 't', '[]', 'complete', n from conversations, generate_series(1, 5) n;
    insert into generations (id, conversation_id, user_id, status, model, provider, options, prompt_id, message_id, position, priority)
      select gen_random_uuid(), id, 'u1', 'completed', 'demo', 'demo', '{}', gen_random_uuid(), gen_random_uuid(), 1, 5
      from conversations;
    analyze;`);
}

async function statementsOf(file: string): Promise<Statement[]> {
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  const all = new Map(
    lines.map((line) => {
      const statement = JSON.parse(line) as Statement;
      return [statement.text, statement];
    }),
  );
  return [...all.values()].filter(
    ({ text }) =>
      /^\s*(with|select|insert|update|delete)\b/i.test(text) && !/drizzle|pg_|information_schema/.test(text),
  );
}

/** The plan for any values: statements are prepared, and what is run often is planned without a look at its values. */
async function planOf({ text, values }: Statement): Promise<Plan> {
  const given = values.length > 0 ? `(${values.map(() => 'null').join()})` : '';
  await client.query(`prepare looked_at as ${text}`);
  const { rows } = await client.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(
    `explain (format json) execute looked_at ${given}`,
  );
  await client.query('deallocate looked_at');
  const plan = rows[0]?.['QUERY PLAN'][0]?.Plan;
  if (!plan) throw new Error(`there is no plan for ${text}`);
  return plan;
}

/** Where a plan reads a table, or an index over all rows of one, from one end to the other. */
function scansOf({ Plans = [], ...node }: Plan): string[] {
  const table = node['Relation Name'];
  const scans = node['Node Type'] === 'Seq Scan' && table !== undefined ? [`${table} as a whole`] : [];
  return [...scans, ...Plans.flatMap(scansOf)];
}
