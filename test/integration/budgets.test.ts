import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Budget, Generation, NewMessage } from '../../src/client/index.js';
import { callAsAdmin } from '../support/admin.js';
import { startOpenaiUpstream, type ChatRequest } from '../support/openai-upstream.js';
import { Person } from '../support/person.js';
import { openScene, type Scene } from '../support/scene.js';
import type { ScriptedServer } from '../support/upstream-server.js';
import type { System } from '../support/system.js';
import type { UpstreamRequest } from '../support/upstream.js';

/** What may be spent, from the request to the end, with a model that costs $3 and $15 for a million tokens. */

let openai: ScriptedServer<ChatRequest>;
let scene: Scene;
let system: System;
let ada: Person;
let sql: postgres.Sql;

beforeAll(async () => {
  openai = await startOpenaiUpstream();
  const env = { OPENAI_API_KEY: 'test', OPENAI_BASE_URL: `${openai.url}/v1` };
  scene = await openScene({ apis: 2, workers: 1, env: { ...env, SHUTDOWN_GRACE_MS: '0' } });
  ({ system } = scene);
  sql = postgres(system.databaseUrl, { max: 2, onnotice: () => undefined });
});
afterAll(async () => {
  await sql.end();
  await scene.close();
  await openai.close();
});

/** A conversation with this limit of its own, of somebody who has spent nothing yet, and who watches it. */
async function conversationOf(limitUsd: number | null) {
  ada = await Person.signIn(system.api(), 'Ada');
  const conversationId = await ada.converse();
  await limit(`conversations/${conversationId}`, limitUsd);
  const watcher = ada.socket(conversationId);
  await watcher.connect();
  const ask = (options?: NewMessage['generate']) => scene.ask({ person: ada, conversationId, options });
  const budget = () => ada.http.getConversationBudget(conversationId);
  return { conversationId, watcher, ask, budget };
}

const limit = (whose: string, limitUsd: number | null) =>
  callAsAdmin<Budget>(system.api(), 'PUT', `/admin/budgets/${whose}`, { body: { limitUsd } });

const warnings = (watcher: ReturnType<Person['socket']>) =>
  watcher.of('generation.warning').map(({ code }) => code);

/** Writes until nobody reads any more, as a model does that does not keep to its `max_tokens`. */
async function writeOn(model: UpstreamRequest): Promise<void> {
  while (!model.ended) {
    model.text('word after word, ');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const maxTokensOf = (model: UpstreamRequest) => model.body.max_tokens;

describe('what is reserved', () => {
  test('is told, and when the answer has ended what it has cost is spent instead', async () => {
    const { ask, budget } = await conversationOf(1);
    const { model, generation } = await ask({ maxTokens: 1000 });
    const open = await budget();
    expect(open).toMatchObject({ spentUsd: 0, limitUsd: 1 });
    // The output that was asked for, and the input, at its dearest.
    expect(open.reservedUsd).toBeGreaterThan(0.015);
    expect(open.reservedUsd).toBeLessThan(0.016);
    expect((await ada.http.getMe()).budget).toEqual({ ...open, limitUsd: null });
    model.start({ inputTokens: 1000 }).text('done').stop({ outputTokens: 200 });
    const ended = await ada.ended(generation.id);
    const costUsd = (1000 * 3 + 200 * 15) / 1e6;
    expect(ended).toMatchObject({ costUsd, budget: { spentUsd: costUsd, remainingUsd: 1 - costUsd } });
    expect(await budget()).toEqual({ spentUsd: costUsd, reservedUsd: 0, limitUsd: 1 });
    expect((await ada.http.getMe()).budget).toEqual({ spentUsd: costUsd, reservedUsd: 0, limitUsd: null });
  });

  test('is nothing for a model without a price, which needs no budget', async () => {
    const { conversationId, budget } = await conversationOf(0);
    const { generation } = await ada.ask(conversationId, 'hello', { model: 'demo-fast' });
    expect((await budget()).reservedUsd).toBe(0);
    expect(await ada.ended(generation.id)).toMatchObject({
      status: 'completed',
      costUsd: 0,
      budget: { spentUsd: 0, remainingUsd: 0 },
    });
  });

  test('is not said of a generation that nothing limits', async () => {
    const { ask } = await conversationOf(null);
    const { model, generation } = await ask();
    model.text('free').stop();
    expect(await ada.ended(generation.id)).toMatchObject({ costUsd: 0.000_06, budget: null });
  });

  test('is reserved once, however often the same request comes', async () => {
    const { conversationId, budget } = await conversationOf(1);
    const headers = { 'idempotency-key': 'once' };
    const body = { content: 'hello', generate: { maxTokens: 1000 } };
    const send = () => ada.call('POST', `/v1/conversations/${conversationId}/messages`, body, { headers });
    const first = await send();
    const { reservedUsd } = await budget();
    await limit(`conversations/${conversationId}`, 0);
    const second = await send();
    expect(second).toMatchObject({ status: 202, body: first.body });
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect((await budget()).reservedUsd).toBe(reservedUsd);
    await ada.http.cancelConversation(conversationId);
  });

  test.each<[string, (conversationId: string, generation: Generation) => Promise<unknown>]>([
    ['it is cancelled', (_, { id }) => ada.http.cancelGeneration(id)],
    ['all are cancelled', (id) => ada.http.cancelConversation(id)],
    ['the history is cleared', (id) => ada.http.clearMessages(id)],
    ['its prompt is deleted', (_, { promptId }) => ada.http.deleteMessage(promptId ?? '')],
    ['the conversation is deleted', (id) => ada.http.deleteConversation(id)],
  ])('by a generation that waits is free again when %s', async (_, end) => {
    const { conversationId, ask } = await conversationOf(1);
    const running = await ask({ maxTokens: 100 });
    const held = (await ada.http.getMe()).budget.reservedUsd;
    const { generation } = await ada.ask(conversationId, 'and then?', { maxTokens: 5000 });
    expect(generation.status).toBe('waiting');
    expect((await ada.http.getMe()).budget.reservedUsd).toBeGreaterThan(held + 0.075);
    await end(conversationId, generation);
    expect((await ada.http.getMe()).budget.reservedUsd).toBeLessThanOrEqual(held);
    running.model.stop();
  });
});

describe('a limit', () => {
  test('refuses what it has nothing left for, before anything is stored', async () => {
    const { conversationId } = await conversationOf(0.0002);
    const answer = await ada.call('POST', `/v1/conversations/${conversationId}/messages`, {
      content: 'hello',
    });
    expect(answer).toMatchObject({ status: 402, body: { code: 'budget_exceeded', status: 402 } });
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(await ada.http.listMessages(conversationId)).toMatchObject({ items: [] });
    await ada.http.sendMessage(conversationId, { content: 'a remark', generate: false });
  });

  test('refuses answering anew, continuing, and editing with a new answer alike', async () => {
    const { conversationId, ask, budget } = await conversationOf(1);
    const { model, generation, prompt } = await ask();
    model.text('half').stop({ stopReason: 'max_tokens' });
    await ada.ended(generation.id);
    await limit(`conversations/${conversationId}`, 0);
    const refused = { code: 'budget_exceeded', status: 402 };
    await expect(ada.http.regenerate(prompt.id)).rejects.toMatchObject(refused);
    await expect(ada.http.continueGeneration(generation.id)).rejects.toMatchObject(refused);
    await expect(ada.http.editMessage(prompt.id, { content: 'x', regenerate: true })).rejects.toMatchObject(
      refused,
    );
    expect((await budget()).reservedUsd).toBe(0);
    const { items } = await ada.http.listMessages(conversationId);
    expect(items.map(({ text }) => text)).toEqual([prompt.text, 'half']);
  });

  test('of a user counts in all of their conversations, and for nobody else', async () => {
    const { ask } = await conversationOf(null);
    await limit(`users/${ada.user.id}`, 0);
    await expect(ask()).rejects.toMatchObject({ code: 'budget_exceeded' });
    const elsewhere = await ada.converse();
    await expect(ada.ask(elsewhere, 'hello')).rejects.toMatchObject({ code: 'budget_exceeded' });
    expect((await ada.http.getMe()).budget).toEqual({ spentUsd: 0, reservedUsd: 0, limitUsd: 0 });
    const bob = await Person.signIn(system.api(1), 'Bob');
    const { model, generation } = await scene.ask({ person: bob });
    model.text('free').stop();
    expect(await bob.ended(generation.id)).toMatchObject({ status: 'completed' });
  });

  test('lowers the tokens to what is left, and says so; continued later, as many are asked for as at first', async () => {
    const { conversationId, watcher, ask } = await conversationOf(0.01);
    const { model, generation } = await ask({ maxTokens: 4000 });
    expect(maxTokensOf(model)).toBeLessThan(660);
    expect(maxTokensOf(model)).toBeGreaterThan(600);
    expect(generation.options.maxTokens).toBe(maxTokensOf(model));
    await watcher.waitFor('generation.warning', ({ code }) => code === 'max_tokens_lowered');
    model.text('half').stop({ stopReason: 'max_tokens' });
    expect(await ada.ended(generation.id)).toMatchObject({ status: 'completed', stopReason: 'max_tokens' });
    await limit(`conversations/${conversationId}`, 10);
    const { generation: continued } = await ada.http.continueGeneration(generation.id);
    expect(continued.options.maxTokens).toBe(4000);
    const again = await scene.modelFor('half');
    expect(maxTokensOf(again)).toBe(4000);
    again.text(' and half').stop();
    expect(await ada.ended(continued.id)).toMatchObject({ status: 'completed', text: 'half and half' });
  });

  test('does not lower thinking below its own budget, but refuses', async () => {
    const { ask } = await conversationOf(0.02);
    const thinking = { type: 'enabled', budgetTokens: 2000 } as const;
    await expect(ask({ maxTokens: 4000, thinking })).rejects.toMatchObject({ code: 'budget_exceeded' });
  });

  test('holds against many requests at once through two apis', async () => {
    ada = await Person.signIn(system.api(), 'Ada');
    await limit(`users/${ada.user.id}`, 0.1);
    const conversations = await Promise.all(Array.from({ length: 24 }, () => ada.converse()));
    const asked = await Promise.allSettled(
      conversations.map((id, i) => ada.via(system.api(i % 2)).ask(id, 'at once', { maxTokens: 1000 })),
    );
    const accepted = asked.flatMap((each) => (each.status === 'fulfilled' ? [each.value.generation] : []));
    const refused = asked.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []));
    for (const reason of refused) expect(reason).toMatchObject({ code: 'budget_exceeded' });
    // Six whole ones of 0.0153, and one or more of what is left.
    expect(accepted.length).toBeGreaterThanOrEqual(6);
    expect(refused.length).toBeGreaterThan(10);
    const { spentUsd, reservedUsd } = (await ada.http.getMe()).budget;
    expect(spentUsd + reservedUsd).toBeLessThanOrEqual(0.1);
    expect(spentUsd + reservedUsd).toBeGreaterThan(0.09);
    for (const id of conversations) await ada.http.cancelConversation(id);
    for (const { id } of accepted) await ada.ended(id);
    expect((await ada.http.getMe()).budget.reservedUsd).toBe(0);
  });
});

describe('in mid-stream', () => {
  test('the room is warned when little is left, and the answer is stopped when it is used up', async () => {
    const { watcher, ask, budget } = await conversationOf(0.01);
    const { model, generation } = await ask();
    await writeOn(model);
    const end = await watcher.ended(generation.id);
    expect(end).toMatchObject({
      type: 'generation.failed',
      generation: { error: { code: 'budget_exceeded', provider: null }, budget: { remainingUsd: 0 } },
      message: { status: 'partial', text: expect.stringMatching(/^word after word/) as string },
    });
    expect(end.message?.text).toBe(watcher.written(generation.id));
    expect(warnings(watcher).filter((code) => code === 'near_budget')).toHaveLength(1);
    const texts = watcher.events.map(({ type }) => type);
    const at = watcher.events.findIndex(
      (event) => event.type === 'generation.warning' && event.code === 'near_budget',
    );
    expect(texts.indexOf('generation.chunk', at)).toBeGreaterThan(at);
    const { spentUsd, reservedUsd } = await budget();
    expect(reservedUsd).toBe(0);
    // It was stopped by an estimate, at the piece that used it up.
    expect(spentUsd).toBeGreaterThanOrEqual(0.0098);
    expect(spentUsd).toBeLessThan(0.011);
  });

  test('more is reserved where the model reads more than was expected and there is more', async () => {
    const { watcher, ask, budget } = await conversationOf(1);
    const { model, generation } = await ask({ maxTokens: 100 });
    model.start({ inputTokens: 20_000 }).text('I have read much.');
    await watcher.until(() => watcher.written(generation.id) !== '');
    await expect.poll(async () => (await budget()).reservedUsd).toBeCloseTo(0.0615, 6);
    model.stop({ outputTokens: 100 });
    expect(await ada.ended(generation.id)).toMatchObject({ status: 'completed', costUsd: 0.0615 });
    expect(warnings(watcher)).toEqual([]);
  });

  test('and it is stopped where there is no more', async () => {
    const { watcher, ask, budget } = await conversationOf(0.05);
    const { model, generation } = await ask({ maxTokens: 100 });
    model.start({ inputTokens: 20_000 });
    expect(await watcher.ended(generation.id)).toMatchObject({
      generation: { status: 'failed', error: { code: 'budget_exceeded' }, costUsd: 0.060_015 },
      message: null,
    });
    expect(await budget()).toEqual({ spentUsd: 0.060_015, reservedUsd: 0, limitUsd: 0.05 });
    await expect(ask()).rejects.toMatchObject({ code: 'budget_exceeded' });
  });

  test('an answer that needs little is warned of as well, once nine tenths of the limit are spent', async () => {
    const { watcher, ask } = await conversationOf(0.04);
    const first = await ask({ maxTokens: 100 });
    first.model.start({ inputTokens: 11_000 }).text('dear').stop({ outputTokens: 1 });
    await ada.ended(first.generation.id);
    expect(warnings(watcher)).toEqual([]);
    const second = await ask({ maxTokens: 30 });
    second.model.start({ inputTokens: 1100 }).text('cheap').stop({ outputTokens: 1 });
    expect(await ada.ended(second.generation.id)).toMatchObject({ status: 'completed' });
    expect(warnings(watcher)).toEqual(['near_budget']);
  });
});

describe('tries', () => {
  test('that the provider turned away cost nothing, and one that was cut what it has read and written', async () => {
    const { watcher, ask, budget } = await conversationOf(1);
    const { model, generation, prompt } = await ask({ maxTokens: 1000 });
    model.fail(500);
    const second = await scene.modelFor(prompt.text);
    second.start({ inputTokens: 1000 }).text('four'.repeat(10));
    await watcher.until(() => watcher.written(generation.id) !== '');
    second.cut();
    const third = await scene.modelFor(prompt.text);
    // What was cut is spent; the third is reserved whole.
    const { spentUsd, reservedUsd } = await budget();
    expect(spentUsd).toBe((1000 * 3 + 10 * 15) / 1e6);
    expect(reservedUsd).toBeGreaterThan(0.015);
    third.start({ inputTokens: 1010 }).text(' more').stop({ outputTokens: 2 });
    expect(await ada.ended(generation.id)).toMatchObject({
      costUsd: (2010 * 3 + 12 * 15) / 1e6,
      usage: { inputTokens: 2010, outputTokens: 12 },
    });
  });

  test('end when there is nothing left for another one, and the text so far is kept', async () => {
    const { watcher, ask } = await conversationOf(0.03);
    const { model, generation } = await ask({ maxTokens: 200 });
    model.start({ inputTokens: 9900 }).text('so far');
    await watcher.until(() => watcher.written(generation.id) !== '');
    model.cut();
    expect(await watcher.ended(generation.id)).toMatchObject({
      generation: { error: { code: 'budget_exceeded' }, budget: { remainingUsd: 0.000_27 } },
      message: { text: 'so far', status: 'partial' },
    });
  });

  test('of a provider that tells its usage at the end count the input that was estimated', async () => {
    const { conversationId, watcher } = await conversationOf(1);
    const question = 'How much is it? '.repeat(60);
    const { generation } = await ada.ask(conversationId, question, { model: 'gpt-4.1', maxTokens: 100 });
    const cut = (await openai.nextRequest()).start().text('It is');
    await watcher.until(() => watcher.written(generation.id) !== '');
    cut.cut();
    // Twelve tokens, two of them from the cache.
    (await openai.nextRequest()).start().text(' much.').stop({ outputTokens: 3 });
    const { usage, costUsd } = await ada.ended(generation.id);
    const estimated = (usage?.inputTokens ?? 0) - 10;
    expect(estimated).toBeGreaterThan((question.length / 3) * 0.95);
    expect(estimated).toBeLessThan((question.length / 3) * 1.1);
    expect(usage).toMatchObject({ outputTokens: 2 + 3, cacheReadInputTokens: 2 });
    expect(costUsd).toBeCloseTo(((estimated + 10) * 2 + 5 * 8 + 2 * 0.5) / 1e6, 9);
  });
});

describe('what was used', () => {
  test('is paid for although the history was cleared, and no more is held', async () => {
    const { conversationId, watcher, ask, budget } = await conversationOf(1);
    const { model, generation } = await ask();
    model.start({ inputTokens: 5000 }).text('x'.repeat(400));
    await watcher.until(() => watcher.written(generation.id).length === 400);
    await ada.http.clearMessages(conversationId);
    const costUsd = (5000 * 3 + 100 * 15) / 1e6;
    expect(await budget()).toEqual({ spentUsd: costUsd, reservedUsd: 0, limitUsd: 1 });
    await model.closed;
  });

  test('is paid for although the conversation was deleted, and stays in the report', async () => {
    const { conversationId, watcher, ask } = await conversationOf(1);
    const { model, generation } = await ask();
    model.start({ inputTokens: 5000 }).text('x'.repeat(400));
    await watcher.until(() => watcher.written(generation.id).length === 400);
    await ada.http.deleteConversation(conversationId);
    const costUsd = (5000 * 3 + 100 * 15) / 1e6;
    expect((await ada.http.getMe()).budget).toMatchObject({ spentUsd: costUsd, reservedUsd: 0 });
    const report = await ada.http.getUsage();
    expect(report.conversations).toMatchObject([
      { conversationId: null, title: null, generations: 1, costUsd },
    ]);
    expect(report.days.at(-1)).toMatchObject({
      costUsd,
      models: [{ model: 'claude-sonnet-4-5', inputTokens: 5000, outputTokens: 100 }],
    });
    const budgets = await callAsAdmin(system.api(), 'GET', `/admin/budgets/conversations/${conversationId}`);
    expect(budgets.status).toBe(404);
    expect(await sql`select 1 from budget_limits where subject = ${conversationId}`).toHaveLength(0);
  });

  test('belongs to the day of its acceptance, however late it ends', async () => {
    const { ask } = await conversationOf(null);
    const { model, generation } = await ask();
    await sql.begin(async (tx) => {
      await tx`update budgets set period = '2020-02-29' where subject = ${ada.user.id}`;
      await tx`update generations set budget_day = '2020-02-29' where id = ${generation.id}`;
    });
    expect((await ada.http.getMe()).budget).toMatchObject({ spentUsd: 0, reservedUsd: 0 });
    model.start({ inputTokens: 1000 }).text('late').stop({ outputTokens: 0 });
    await ada.ended(generation.id);
    expect((await ada.http.getMe()).budget).toMatchObject({ spentUsd: 0, reservedUsd: 0 });
    const [row] = await sql`select reserved_nano, spent_nano from budgets where subject = ${ada.user.id}
      and period = '2020-02-29'`;
    expect(row).toEqual({ reserved_nano: '0', spent_nano: '3000000' });
    const report = await ada.http.getUsage({ from: '2020-02-29', to: '2020-02-29' });
    expect(report.totals).toMatchObject({ generations: 1, costUsd: 0.003 });
  });
});

test('a worker that is killed leaves nothing reserved once its generation has ended', async () => {
  const { watcher, ask, budget } = await conversationOf(1);
  const { model, generation, prompt } = await ask({ maxTokens: 1000 });
  model.start({ inputTokens: 1000 }).text('x'.repeat(400));
  await watcher.until(() => watcher.written(generation.id).length === 400);
  system.worker(0).kill('SIGKILL');
  await system.worker(0).exited();
  expect((await budget()).reservedUsd).toBeGreaterThan(0.015);
  await system.worker(0).start();
  const again = await scene.modelFor(prompt.text);
  expect((await budget()).spentUsd).toBe((1000 * 3 + 100 * 15) / 1e6);
  again.start({ inputTokens: 1100 }).text('!').stop({ outputTokens: 1 });
  const costUsd = (2100 * 3 + 101 * 15) / 1e6;
  expect(await ada.ended(generation.id)).toMatchObject({ status: 'completed', attempt: 2, costUsd });
  expect(await budget()).toEqual({ spentUsd: costUsd, reservedUsd: 0, limitUsd: 1 });
});

test('a worker that is stopped hands over what is left of the reservation', async () => {
  const { watcher, ask, budget } = await conversationOf(1);
  const { model, generation, prompt } = await ask({ maxTokens: 1000 });
  model.start({ inputTokens: 1000 }).text('x'.repeat(400));
  await watcher.until(() => watcher.written(generation.id).length === 400);
  system.worker(0).kill('SIGTERM');
  await model.closed;
  await expect.poll(async () => (await budget()).spentUsd, { timeout: 15_000 }).toBe(0.0045);
  // The thousand tokens of each, less that.
  expect((await budget()).reservedUsd).toBe(0.0135);
  await system.worker(0).exited();
  await system.worker(0).start();
  const again = await scene.modelFor(prompt.text);
  again.start({ inputTokens: 1100 }).text('!').stop({ outputTokens: 1 });
  expect(await ada.ended(generation.id)).toMatchObject({ status: 'completed' });
  expect(await budget()).toEqual({ spentUsd: (2100 * 3 + 101 * 15) / 1e6, reservedUsd: 0, limitUsd: 1 });
}, 60_000);
