import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { costOf, mostForInput, tokenPrice } from '../../src/domain/cost.js';
import type { Concurrency, User } from '../../src/domain/conversation.js';
import { AppError } from '../../src/domain/errors.js';
import type { Usage } from '../../src/domain/generation.js';
import { createLogger } from '../../src/lib/logger.js';
import { readTranscript, TranscriptWriter } from '../../src/redis/transcript.js';
import { beginGeneration, endAttempt, handOverAttempt, type Attempt } from '../../src/service/attempt.js';
import { cancelConversation, cancelGeneration } from '../../src/service/cancel.js';
import { clearMessages, createConversation, deleteConversation } from '../../src/service/conversations.js';
import { lockPlace } from '../../src/service/lock-place.js';
import { ModelPolicy } from '../../src/service/model-policy.js';
import { QueueRoom } from '../../src/service/queue-room.js';
import { reserveCall } from '../../src/service/reserve.js';
import { continueGeneration, deleteMessage, editMessage, regenerate } from '../../src/service/rewrite.js';
import { sendMessage } from '../../src/service/send-message.js';
import type { ServiceContext } from '../../src/service/service-context.js';
import { ToolPolicy } from '../../src/service/tool-policy.js';
import { asCall, usageOfCalls } from '../../src/service/usage.js';
import { transact, type Work } from '../../src/service/work.js';
import { setBudgetLimit } from '../../src/store/budgets.js';
import { migrateDatabase, openStore, type Store } from '../../src/store/database.js';
import { lockGeneration } from '../../src/store/generations.js';
import { saveUser } from '../../src/store/users.js';
import { createTestDatabase, type TestDatabase } from '../support/stores.js';

/**
 * The invariants of docs/decisions/0004, against a real Postgres: commands of several people and steps of several
 * workers at once, in any order, with crashes, and with a Redis that may lose what a dead worker had written.
 */

const model = 'claude-sonnet-4-5';
const price = tokenPrice(model) ?? { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
const limits = { user: 12_000_000, conversation: 18_000_000 };

let database: TestDatabase;
let store: Store;
let sql: postgres.Sql;
/** What Redis has of each generation. */
const transcripts = new Map<string, string>();
let context: ServiceContext;

beforeAll(async () => {
  database = await createTestDatabase();
  await migrateDatabase(database.url);
  store = openStore({ url: database.url, maxConnections: 12 });
  sql = postgres(database.url, { max: 1, types: { bigint: postgres.BigInt } });
  const done = () => Promise.resolve();
  context = {
    db: store.db,
    relay: { request: () => undefined },
    roomLog: { transcript: (_room: string, id: string) => Promise.resolve(transcripts.get(id) ?? '') },
    queues: { remove: done },
    cancelFlags: { raise: done },
    models: new ModelPolicy({ providers: new Set(['anthropic']), defaultModel: model }),
    tools: new ToolPolicy({ fetchUrlAllow: [], mcpServers: [] }),
    queueRoom: new QueueRoom(100_000),
    limits: { defaultMaxTokens: 500 },
    budgets: limits,
    log: createLogger({ level: 'silent', role: 'test' }),
  } as unknown as ServiceContext;
});
afterAll(async () => {
  await store.close();
  await sql.end();
  await database.dispose();
});

type Step =
  | { type: 'ask'; conversation: number; user: number; maxTokens: number }
  | { type: 'begin' | 'handOver' | 'cancel' | 'regenerate' | 'edit' | 'continue'; at: number; user: number }
  | { type: 'call'; at: number; maxTokens: number; used: number; excess: number }
  | { type: 'end'; at: number; status: 'completed' | 'failed' }
  | { type: 'crash'; at: number; wiped: boolean }
  | { type: 'cancelAll' | 'clear' | 'delete'; conversation: number }
  | { type: 'deleteMessage'; at: number };

const index = fc.nat(20);
const tokens = fc.integer({ min: 1, max: 600 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('ask' as const),
      conversation: index,
      user: index,
      maxTokens: tokens,
    }),
  },
  { weight: 8, arbitrary: fc.record({ type: fc.constant('begin' as const), at: index, user: index }) },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('call' as const),
      at: index,
      maxTokens: tokens,
      used: fc.nat(100),
      excess: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(300)),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('end' as const),
      at: index,
      status: fc.constantFrom('completed' as const, 'failed' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('crash' as const), at: index, wiped: fc.boolean() }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constantFrom(
        'handOver' as const,
        'cancel' as const,
        'regenerate' as const,
        'edit' as const,
        'continue' as const,
      ),
      at: index,
      user: index,
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('deleteMessage' as const), at: index }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom('cancelAll' as const, 'clear' as const, 'delete' as const),
      conversation: index,
    }),
  },
);

/** Steps of a batch are taken at once. */
const batches = fc.array(fc.array(step, { minLength: 3, maxLength: 6, size: 'max' }), {
  minLength: 20,
  maxLength: 24,
  size: 'max',
});

interface Running {
  attempt: Attempt;
  transcript: string;
  /** A worker does one thing at a time with a generation. */
  busy: boolean;
}

/** People, their conversations, and the workers that answer them. */
class World {
  readonly #users: User[] = [];
  readonly #conversations: string[] = [];
  readonly #generations: { id: string; promptId: string; messageId: string }[] = [];
  readonly #running = new Map<string, Running>();
  /** By how much calls have cost more than was reserved for them. */
  excessNano = 0;
  /** What calls have cost, without those that were aborted as they began. */
  costNano = 0;
  granted = 0;
  refused = 0;

  static async make(): Promise<World> {
    const world = new World();
    for (const name of ['Ada', 'Bob', 'Cleo']) {
      const user = { id: `${name}-${randomUUID()}`, name };
      await saveUser(context.db, user);
      world.#users.push(user);
    }
    const [owner, ...others] = world.#users;
    for (const concurrency of ['queue', 'parallel', 'interrupt', 'reject'] satisfies Concurrency[]) {
      if (!owner) continue;
      const { id } = await world.#command((work) =>
        createConversation(context, work, owner, { concurrency }),
      );
      for (const { id: userId } of others)
        await sql`insert into members (conversation_id, user_id, role) values (${id}, ${userId}, 'member')`;
      world.#conversations.push(id);
    }
    return world;
  }

  get ids() {
    return { users: this.#users.map(({ id }) => id), conversations: this.#conversations };
  }

  /** Takes a step; what a client may be refused with is no failure. */
  async take(taken: Step): Promise<void> {
    try {
      await this.#take(taken);
    } catch (error) {
      if (!(error instanceof AppError) || error.code === 'internal') throw error;
      if (error.code === 'budget_exceeded') this.refused += 1;
    }
  }

  /** Ends all that has not ended, as workers and people do in time. */
  async endAll(): Promise<void> {
    for (let at = 0; at < this.#generations.length; at += 1) {
      const { id } = this.#generations[at] ?? { id: '' };
      if (!this.#running.has(id)) await this.#begin(id);
      const running = this.#running.get(id);
      if (running) await this.#end(running, at % 3 === 0 ? 'failed' : 'completed');
    }
    const left = await sql`select 1 from generations where conversation_id in ${sql(this.#conversations)}
      and status in ('waiting', 'queued', 'running')`;
    if (left.length > 0) await this.endAll();
  }

  async #take(taken: Step): Promise<void> {
    switch (taken.type) {
      case 'ask': {
        const [conversationId, author] = [this.#conversation(taken.conversation), this.#user(taken.user)];
        const content = 'What does it cost? '.repeat(1 + (taken.maxTokens % 20));
        const generate = { maxTokens: taken.maxTokens };
        const origin = { ip: null, userAgent: null, sessionId: null };
        const message = { conversationId, author, content, generate, clientId: null, metadata: null, origin };
        const { generation } = await this.#command((work) => sendMessage(context, work, message));
        if (generation) this.#accepted(generation);
        return;
      }
      case 'begin': {
        // What a worker finds in its queue: also what another one has died over.
        const found = await sql<{ id: string }[]>`select id from generations
          where conversation_id in ${sql(this.#conversations)} and status in ('queued', 'running') order by id`;
        const free = found.filter(({ id }) => !this.#running.has(id));
        return this.#begin((this.#pick(free, taken.at) ?? this.#generation(taken.at)).id);
      }
      case 'call': {
        const running = this.#anyRunning(taken.at);
        if (!running) return;
        running.busy = true;
        await this.#call(running, taken).finally(() => {
          running.busy = false;
        });
        return;
      }
      case 'end': {
        const running = this.#anyRunning(taken.at);
        if (running) await this.#end(running, taken.status);
        return;
      }
      case 'handOver': {
        const running = this.#anyRunning(taken.at);
        if (!running) return;
        this.#running.delete(running.attempt.generation.id);
        await handOverAttempt(context, running.attempt.generation, {
          content: [],
          usage: this.#used(running),
        });
        return;
      }
      case 'crash': {
        const running = this.#anyRunning(taken.at);
        if (!running) return;
        this.#running.delete(running.attempt.generation.id);
        if (taken.wiped) transcripts.delete(running.attempt.generation.id);
        return;
      }
      case 'cancel': {
        const { id } = this.#generation(taken.at);
        await this.#command((work) => cancelGeneration(context, work, id, this.#user(taken.user).id));
        return;
      }
      case 'regenerate': {
        const { promptId } = this.#generation(taken.at);
        const { id } = this.#user(taken.user);
        this.#accepted(await this.#command((work) => regenerate(context, work, promptId, id, {})));
        return;
      }
      case 'continue': {
        const { id } = this.#generation(taken.at);
        const user = this.#user(taken.user);
        this.#accepted(await this.#command((work) => continueGeneration(context, work, id, user.id)));
        return;
      }
      case 'edit': {
        const edit = {
          messageId: this.#generation(taken.at).promptId,
          userId: this.#user(taken.user).id,
          content: 'And now?',
          regenerate: {},
        };
        const { generation } = await this.#command((work) => editMessage(context, work, edit));
        if (generation) this.#accepted(generation);
        return;
      }
      case 'deleteMessage': {
        const { promptId } = this.#generation(taken.at);
        await this.#command((work) => deleteMessage(context, work, promptId, this.#user(0).id));
        return;
      }
      case 'cancelAll': {
        const id = this.#conversation(taken.conversation);
        await this.#command((work) => cancelConversation(context, work, id, this.#user(0).id));
        return;
      }
      case 'clear': {
        const id = this.#conversation(taken.conversation);
        await this.#command((work) => clearMessages(context, work, id, this.#user(0).id));
        return;
      }
      case 'delete': {
        // Rarely: nothing more comes of a conversation that is gone.
        if (taken.conversation % 7 !== 0) return;
        const id = this.#conversation(taken.conversation);
        await this.#command((work) => deleteConversation(context, work, id, this.#user(0).id));
        return;
      }
    }
  }

  async #begin(id: string): Promise<void> {
    const attempt = id ? await beginGeneration(context, id) : undefined;
    if (attempt) this.#running.set(id, { attempt, transcript: transcripts.get(id) ?? '', busy: false });
  }

  /** A call of the model that ends by itself, with all of its usage told. */
  async #call(running: Running, { maxTokens, used, excess }: Step & { type: 'call' }): Promise<void> {
    const { id } = running.attempt.generation;
    const inputTokens = 20;
    const answer = await reserveCall(context, running.attempt.generation, {
      before: this.#used(running),
      wantedNano: mostForInput(price, inputTokens) + maxTokens * price.output,
      leastNano: mostForInput(price, inputTokens) + price.output,
    });
    if (answer.kind !== 'reserved') {
      if (answer.kind === 'refused') this.refused += 1;
      return;
    }
    this.granted += 1;
    const { reservedNano } = answer.allowance;
    const affordable = Math.floor((reservedNano - mostForInput(price, inputTokens)) / price.output);
    const usage: Usage = {
      inputTokens: inputTokens + excess,
      outputTokens: Math.floor((affordable * used) / 100),
      cacheReadInputTokens: 0,
      cacheCreationInputTokens: 0,
    };
    this.excessNano += Math.max(0, costOf(price, usage) - reservedNano);
    const writer = new TranscriptWriter();
    running.transcript += writer.beginCall() + writer.reportUsage(asCall(usage), true);
    if (this.#running.has(id)) transcripts.set(id, running.transcript);
    if (await this.#isCurrent(running)) this.costNano += costOf(price, usage);
  }

  /** Whether it has not ended, nor been taken over, by whoever may be about to. */
  async #isCurrent({ attempt: { generation } }: Running): Promise<boolean> {
    return store.db.transaction(async (tx) => {
      await lockPlace(tx, generation);
      const row = await lockGeneration(tx, generation.id);
      return row?.attempt === generation.attempt && row.endedAt === null;
    });
  }

  async #end(running: Running, status: 'completed' | 'failed'): Promise<void> {
    const { generation } = running.attempt;
    this.#running.delete(generation.id);
    const error = { code: 'internal' as const, message: 'It failed.', provider: null, statusCode: null };
    const outcome = {
      status,
      stopReason: status === 'completed' ? 'end_turn' : null,
      content: [{ type: 'text' as const, text: 'As much as it is worth. ' }],
      usage: this.#used(running),
      error: status === 'failed' ? error : null,
    };
    await endAttempt(context, generation, outcome, { streamed: true });
  }

  #used({ transcript }: Running): Usage {
    return usageOfCalls(readTranscript(transcript).calls);
  }

  #accepted({ id, promptId, messageId }: { id: string; promptId: string | null; messageId: string }): void {
    this.#generations.push({ id, promptId: promptId ?? '', messageId });
  }

  readonly #command = <T>(command: (work: Work) => Promise<T>) => transact(context, command);
  readonly #pick = <T>(from: readonly T[], at: number): T | undefined => from[at % from.length];
  readonly #conversation = (at: number) => this.#pick(this.#conversations, at) ?? '';
  readonly #user = (at: number) => this.#pick(this.#users, at) ?? { id: '', name: '' };
  /** One of the latest, since most of the others have ended. */
  readonly #generation = (at: number) =>
    this.#pick(this.#generations.slice(-8), at) ?? { id: '', promptId: '', messageId: '' };
  readonly #anyRunning = (at: number) =>
    this.#pick(
      [...this.#running.values()].filter(({ busy }) => !busy),
      at,
    );
}

interface Sums {
  scope: 'user' | 'conversation';
  reserved: bigint;
  spent: bigint;
  held: bigint;
  paid: bigint;
}

/** Each budget as it is counted, beside what its generations and the ledger add up to. */
const sums = ({ users, conversations }: World['ids']): Promise<Sums[]> => sql<Sums[]>`
  select scope, reserved_nano as reserved, spent_nano as spent,
    (select coalesce(sum(g.reserved_nano), 0)::bigint from generations g
      where g.user_id = b.subject and g.budget_day::text = b.period) as held,
    (select coalesce(sum(g.spent_nano), 0)::bigint from generations g
      where g.user_id = b.subject and g.budget_day::text = b.period and g.ended_at is null) +
    (select coalesce(sum(l.cost_nano), 0)::bigint from ledger l
      where l.user_id = b.subject and l.day::text = b.period) as paid
  from budgets b where scope = 'user' and subject in ${sql(users)}
  union all
  select scope, reserved_nano, spent_nano,
    (select coalesce(sum(g.reserved_nano), 0)::bigint from generations g where g.conversation_id::text = b.subject),
    (select coalesce(sum(g.spent_nano), 0)::bigint from generations g where g.conversation_id::text = b.subject)
  from budgets b where scope = 'conversation' and subject in ${sql(conversations)}`;

const total = { granted: 0, refused: 0 };

const runs = Number(process.env.BUDGET_RUNS ?? 20);

test(
  'no budget is overspent, whatever happens at once, and nothing stays reserved',
  async () => {
    context = { ...context, budgets: limits };
    await fc.assert(
      fc.asyncProperty(batches, async (batch) => {
        const world = await World.make();
        for (const steps of batch) {
          await Promise.all(steps.map((each) => world.take(each)));
          for (const { scope, reserved, spent, held, paid } of await sums(world.ids)) {
            expect({ reserved, spent }).toEqual({ reserved: held, spent: paid });
            expect(Number(reserved + spent)).toBeLessThanOrEqual(limits[scope] + world.excessNano);
          }
        }
        await world.endAll();
        let spentNano = 0;
        for (const { scope, reserved, spent, paid } of await sums(world.ids)) {
          expect({ reserved, spent }).toEqual({ reserved: 0n, spent: paid });
          if (scope === 'user') spentNano += Number(spent);
        }
        expect(spentNano + world.excessNano).toBeGreaterThanOrEqual(world.costNano);
        total.granted += world.granted;
        total.refused += world.refused;
      }),
      { numRuns: runs, endOnFailure: true },
    );
    // Else the limits would not have been tried.
    expect(total.granted).toBeGreaterThan(50);
    expect(total.refused).toBeGreaterThan(50);
  },
  runs * 20_000,
);

test(
  'where limits come and go all of it adds up, too',
  async () => {
    context = { ...context, budgets: { user: null, conversation: null } };
    const change = fc.record({ index, nano: fc.option(fc.nat(limits.user)) });
    const worlds = batches.map((batch) => batch.slice(0, 8));
    await fc.assert(
      fc.asyncProperty(worlds, fc.array(change, { minLength: 8, maxLength: 8 }), async (batch, changes) => {
        const world = await World.make();
        for (const [at, steps] of batch.entries()) {
          const { index = 0, nano = null } = changes[at] ?? {};
          const [user = '', conversation = ''] = [
            world.ids.users[index % 3],
            world.ids.conversations[index % 4],
          ];
          await Promise.all([
            ...steps.map((each) => world.take(each)),
            setBudgetLimit(store.db, 'user', user, nano),
            setBudgetLimit(store.db, 'conversation', conversation, nano),
          ]);
          for (const { reserved, spent, held, paid } of await sums(world.ids))
            expect({ reserved, spent }).toEqual({ reserved: held, spent: paid });
        }
        await world.endAll();
        for (const { reserved, spent, paid } of await sums(world.ids))
          expect({ reserved, spent }).toEqual({ reserved: 0n, spent: paid });
      }),
      { numRuns: Math.ceil(runs / 2), endOnFailure: true },
    );
  },
  runs * 20_000,
);
