import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { UsageReport } from '../../../src/client/index.js';
import { insertLedgerEntry, selectLedgerSums } from '../../../src/store/ledger.js';
import { startTestApi, type Caller, type TestApi } from './test-api.js';

let api: TestApi;
let ada: Caller;

beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

interface Used {
  user?: Caller;
  day: string;
  conversationId?: string | null;
  documentId?: string;
  model?: string;
  costUsd?: number;
  inputTokens?: number;
  outputTokens?: number;
  cacheReadInputTokens?: number;
  cacheSavedUsd?: number;
  firstTokenMs?: number | null;
}

const use = ({ user = ada, costUsd = 0, cacheSavedUsd = 0, ...used }: Used) =>
  api.db.transaction((tx) =>
    insertLedgerEntry(tx, {
      generationId: randomUUID(),
      userId: user.user.id,
      model: 'claude-sonnet-4-5',
      inputTokens: 0,
      outputTokens: 0,
      cacheReadInputTokens: 0,
      cacheCreationInputTokens: 0,
      costNano: Math.round(costUsd * 1e9),
      cacheSavedNano: Math.round(cacheSavedUsd * 1e9),
      ...used,
    }),
  );

async function converse(title: string): Promise<string> {
  return ((await ada.call('POST', '/v1/conversations', { title })).body as { id: string }).id;
}

async function report(query = ''): Promise<UsageReport> {
  const { status, body } = await ada.call('GET', `/v1/usage${query}`);
  expect(status).toBe(200);
  return body as UsageReport;
}

describe('a report', () => {
  test('adds up by day, model and conversation what the caller’s own generations have used', async () => {
    ada = await api.signIn('Ada');
    const bob = await api.signIn('Bob');
    const [one, two] = [await converse('One'), await converse('Two')];
    await use({ day: '2026-03-01', conversationId: one, costUsd: 0.5, inputTokens: 100, outputTokens: 10 });
    await use({ day: '2026-03-01', conversationId: two, costUsd: 0.25, model: 'gpt-4.1', inputTokens: 7 });
    await use({
      day: '2026-03-03',
      conversationId: one,
      costUsd: 0.125,
      cacheReadInputTokens: 40,
      cacheSavedUsd: 0.01,
    });
    await use({ day: '2026-03-03', conversationId: null, costUsd: 1 });
    await use({ day: '2026-02-28', conversationId: one, costUsd: 4 });
    await use({ day: '2026-02-25', conversationId: one, costUsd: 8 });
    await use({ day: '2026-03-04', conversationId: one, costUsd: 16 });
    await use({ user: bob, day: '2026-03-01', conversationId: one, costUsd: 32 });

    const { from, to, totals, previous, days, models, conversations } = await report(
      '?from=2026-03-01&to=2026-03-03',
    );
    expect([from, to]).toEqual(['2026-03-01', '2026-03-03']);
    expect(totals).toEqual({
      generations: 4,
      inputTokens: 107,
      outputTokens: 10,
      cacheReadInputTokens: 40,
      cacheCreationInputTokens: 0,
      costUsd: 1.875,
      cacheSavedUsd: 0.01,
      firstTokenMs: { p50: null, p95: null },
    });
    // The three days before.
    expect(previous).toMatchObject({ generations: 1, costUsd: 4 });
    expect(days.map(({ day, costUsd, generations }) => [day, generations, costUsd])).toEqual([
      ['2026-03-01', 2, 0.75],
      ['2026-03-02', 0, 0],
      ['2026-03-03', 2, 1.125],
    ]);
    expect(days[0]?.models.map(({ model, costUsd }) => [model, costUsd])).toEqual([
      ['claude-sonnet-4-5', 0.5],
      ['gpt-4.1', 0.25],
    ]);
    expect(days[1]?.models).toEqual([]);
    expect(
      models.map(({ model, generations, inputTokens, costUsd }) => [
        model,
        generations,
        inputTokens,
        costUsd,
      ]),
    ).toEqual([
      ['claude-sonnet-4-5', 3, 100, 1.625],
      ['gpt-4.1', 1, 7, 0.25],
    ]);
    expect(
      conversations.map(({ conversationId, title, costUsd }) => [conversationId, title, costUsd]),
    ).toEqual([
      [null, null, 1],
      [one, 'One', 0.625],
      [two, 'Two', 0.25],
    ]);
  });

  test('tells how long the first token took, the middle of all and what 95 % stayed under', async () => {
    ada = await api.signIn('Ada');
    for (let i = 1; i <= 21; i += 1)
      await use({ day: '2026-03-01', firstTokenMs: i * 100, model: i % 2 ? 'a' : 'b' });
    await use({ day: '2026-03-01', firstTokenMs: null, model: 'c' });
    const { totals, models } = await report('?from=2026-03-01&to=2026-03-01');
    expect(totals.firstTokenMs).toEqual({ p50: 1100, p95: 2000 });
    const times = new Map(models.map(({ model, firstTokenMs }) => [model, firstTokenMs]));
    expect(times.get('a')?.p50).toBe(1100);
    expect(times.get('b')?.p95).toBeCloseTo(1910, 6);
    expect(times.get('c')).toEqual({ p50: null, p95: null });
  });

  test('is of the last 30 days, empty ones too, unless it is asked for others', async () => {
    ada = await api.signIn('Ada');
    const today = new Date().toISOString().slice(0, 10);
    await use({ day: today, costUsd: 1 });
    const { from, to, days, totals, models, conversations } = await report();
    expect(days).toHaveLength(30);
    expect(days.at(-1)).toMatchObject({ day: today, costUsd: 1 });
    expect([from, to]).toEqual([days[0]?.day, today]);
    expect(totals.costUsd).toBe(1);
    expect([models.length, conversations.length]).toEqual([1, 1]);
    const week = await report('?from=2026-03-01&to=2026-03-07');
    expect(week.totals).toMatchObject({ generations: 0, costUsd: 0 });
    expect(week).toMatchObject({ models: [], conversations: [] });
    expect(week.days.map(({ day }) => day)).toHaveLength(7);
    expect((await report('?to=2026-03-30')).from).toBe('2026-03-01');
    expect((await report('?from=2024-01-01&to=2024-12-31')).days).toHaveLength(366);
  });

  test('names no conversation that the caller cannot read any more', async () => {
    ada = await api.signIn('Ada');
    const mine = await converse('Mine');
    await use({ day: '2026-03-01', conversationId: mine, costUsd: 1 });
    await api.db.execute(sql`delete from members where conversation_id = ${mine}`);
    expect((await report('?from=2026-03-01&to=2026-03-01')).conversations).toMatchObject([
      { conversationId: mine, title: null, costUsd: 1 },
    ]);
  });

  test('has documents by their names beside the conversations', async () => {
    ada = await api.signIn('Ada');
    const [mine, document] = [await converse('Mine'), randomUUID()];
    await api.db.execute(sql`
      insert into documents (id, user_id, name, media_type, bytes, sha256, model, provider, options, status, at_once)
      values (${document}, ${ada.user.id}, 'plan.pdf', 'application/pdf', 1, '', 'm', 'demo', '{}', 'completed', 1)`);
    await use({ day: '2026-03-01', conversationId: mine, costUsd: 1 });
    await use({ day: '2026-03-01', documentId: document, costUsd: 2 });
    await use({ day: '2026-03-02', documentId: document, costUsd: 2 });
    const { conversations } = await report('?from=2026-03-01&to=2026-03-02');
    expect(conversations).toMatchObject([
      { conversationId: null, documentId: document, title: 'plan.pdf', generations: 2, costUsd: 4 },
      { conversationId: mine, documentId: null, title: 'Mine', generations: 1, costUsd: 1 },
    ]);
    await api.db.execute(sql`delete from documents where id = ${document}`);
    expect((await report('?from=2026-03-01&to=2026-03-02')).conversations[0]).toMatchObject({
      conversationId: null,
      documentId: null,
      title: null,
      costUsd: 4,
    });
  });

  test('holds the hundred dearest conversations', async () => {
    ada = await api.signIn('Ada');
    await api.db.execute(sql`
      with made as (insert into conversations (id, concurrency)
        select gen_random_uuid(), 'queue' from generate_series(1, 120) returning id)
      insert into ledger (generation_id, user_id, conversation_id, day, model, input_tokens, output_tokens,
          cache_read_input_tokens, cache_creation_input_tokens, cost_nano, cache_saved_nano)
        select gen_random_uuid(), ${ada.user.id}, id, '2026-03-01', 'm', 0, 0, 0, 0,
          row_number() over () * 1000000000, 0 from made`);
    const { conversations, totals } = await report('?from=2026-03-01&to=2026-03-01');
    expect(totals.generations).toBe(120);
    expect(conversations).toHaveLength(100);
    expect(conversations.map(({ costUsd }) => costUsd)).toEqual(
      Array.from({ length: 100 }, (_, i) => 120 - i),
    );
  });

  test.each([
    'from=2026-02-30',
    'from=yesterday',
    'from=2026-03-02&to=2026-03-01',
    'from=2024-12-31&to=2026-01-01',
    'to=0001-01-01',
    'from=2026-3-1',
  ])('of ?%s is refused', async (query) => {
    expect(await ada.call('GET', `/v1/usage?${query}`)).toMatchObject({
      status: 400,
      body: { code: 'invalid_request' },
    });
  });

  test('needs a session', async () => {
    expect(await api.call('GET', '/v1/usage')).toMatchObject({ status: 401 });
  });
});

test('a report reads only its user’s days, by the index', async () => {
  ada = await api.signIn('Ada');
  const other = await api.signIn('Other');
  await api.db.execute(sql`
    insert into ledger (generation_id, user_id, day, model, input_tokens, output_tokens, cache_read_input_tokens,
        cache_creation_input_tokens, cost_nano, cache_saved_nano)
      select gen_random_uuid(), ${other.user.id}, '2025-01-01'::date + n % 700, 'm', 1, 1, 0, 0, 1, 0
        from generate_series(1, 20000) n`);
  for (let i = 0; i < 10; i += 1) await use({ day: '2026-03-01' });
  await api.db.execute(sql`analyze ledger`);
  const query = selectLedgerSums(api.db, ada.user.id, '2026-03-01', '2026-03-30');
  const { rows } = await api.db.execute<{ 'QUERY PLAN': string }>(sql`explain ${query.getSQL()}`);
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  expect(plan).toMatch(/Index (Only )?Scan.* ledger_by_user|Bitmap Index Scan on ledger_by_user/);
  expect(plan).toMatch(/Index Cond:.*user_id.*day/);
  expect(plan).not.toContain('Seq Scan');
});
