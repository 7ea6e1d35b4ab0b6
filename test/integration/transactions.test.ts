import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { eq, sql } from 'drizzle-orm';
import type { Request, Response } from 'express';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accept } from '../../src/api/accept.js';
import type { StoreWatch } from '../../src/api/store-watch.js';
import type { Concurrency, User } from '../../src/domain/conversation.js';
import { createLogger } from '../../src/lib/logger.js';
import { rootCause } from '../../src/lib/root-cause.js';
import { together } from '../../src/lib/together.js';
import { createConversation } from '../../src/service/conversations.js';
import { ModelPolicy } from '../../src/service/model-policy.js';
import { QueueRoom } from '../../src/service/queue-room.js';
import { sendMessage } from '../../src/service/send-message.js';
import type { ServiceContext } from '../../src/service/service-context.js';
import { ToolPolicy } from '../../src/service/tool-policy.js';
import { transact, type Work } from '../../src/service/work.js';
import { setBudgetLimit } from '../../src/store/budgets.js';
import { lockConversation } from '../../src/store/conversations.js';
import { removeMember, addMember } from '../../src/store/members.js';
import {
  migrateDatabase,
  openStore,
  type Database,
  type Executor,
  type Store,
  type Transaction,
} from '../../src/store/database.js';
import { relayOutbox } from '../../src/store/outbox.js';
import { generations } from '../../src/store/schema/generations.js';
import { outbox } from '../../src/store/schema/outbox.js';
import { users } from '../../src/store/schema/users.js';
import { saveUser } from '../../src/store/users.js';
import { insertWebhook } from '../../src/store/webhooks.js';
import { openPostgresProxy, type PostgresProxy } from '../support/postgres-proxy.js';
import { createTestDatabase, type TestDatabase } from '../support/stores.js';

/** Statements that are sent together, against a real Postgres: they are run in their order, and are one transaction. */

let database: TestDatabase;
let proxy: PostgresProxy;
let store: Store;
let context: ServiceContext;
const ada: User = { id: `ada-${randomUUID()}`, name: 'Ada' };
const bob: User = { id: `bob-${randomUUID()}`, name: 'Bob' };

beforeAll(async () => {
  database = await createTestDatabase();
  await migrateDatabase(database.url);
  proxy = await openPostgresProxy(database.url);
  store = openStore({ url: proxy.url, maxConnections: 4 });
  context = {
    db: store.db,
    relay: { request: () => undefined },
    models: new ModelPolicy({ providers: new Set(['anthropic']), defaultModel: 'claude-haiku-4-5' }),
    tools: new ToolPolicy({ fetchUrlAllow: [], mcpServers: [] }),
    queueRoom: new QueueRoom(100),
    limits: { defaultMaxTokens: 500 },
    budgets: { user: null, conversation: null },
    log: createLogger({ level: 'silent', role: 'test' }),
  } as unknown as ServiceContext;
  await Promise.all([ada, bob].map((user) => saveUser(store.db, user)));
});
afterAll(async () => {
  await store.close();
  proxy.close();
  await database.dispose();
});

const converse = async (concurrency: Concurrency = 'queue') => {
  const { id } = await transact(context, (work) => createConversation(context, work, ada, { concurrency }));
  await store.db.transaction((tx) => addMember(tx, id, bob.id, 'member'));
  return id;
};

const send = (work: Work, conversationId: string, author = ada) =>
  sendMessage(context, work, {
    conversationId,
    author,
    content: 'Why are there tides?',
    generate: {},
    clientId: null,
    metadata: null,
    origin: { ip: null, userAgent: null, sessionId: null },
  });

/** Runs a change while somebody waits for the conversation's lock that it holds. */
async function whileItWaits<T>(
  conversationId: string,
  change: (work: Work) => Promise<unknown>,
  wait: () => Promise<T>,
): Promise<PromiseSettledResult<T>> {
  let waiting: Promise<T> | undefined;
  await transact(context, async (work) => {
    await lockConversation(work.tx, conversationId);
    waiting = wait();
    waiting.catch(() => undefined);
    await expect.poll(waiters, { interval: 5 }).toBe(1);
    await change(work);
  });
  const [result] = await Promise.allSettled([waiting as Promise<T>]);
  return result;
}

async function waiters(): Promise<number> {
  const { rows } = await store.db.execute<{ count: number }>(
    sql`select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return rows[0]?.count ?? 0;
}

test('a message is accepted in two round trips, its commit included', async () => {
  const id = await converse();
  await transact(context, (work) => send(work, id)); // a connection has parsed the statements
  const before = proxy.roundTrips;
  const { generation } = await transact(context, (work) => send(work, id));
  expect(proxy.roundTrips - before).toBe(2);
  expect(generation?.status).toBe('waiting');
});

test('what is accepted is what is read again', async () => {
  const id = await converse();
  const { message, generation } = await transact(context, (work) => send(work, id));
  const [row] = await store.db
    .select()
    .from(generations)
    .where(eq(generations.id, String(generation?.id)));
  expect(row).toMatchObject({
    conversationId: id,
    promptId: message.id,
    status: 'queued',
    content: [],
    usage: null,
    metrics: null,
    error: null,
    attempt: 0,
    cached: false,
    createdAt: new Date(String(generation?.createdAt)),
  });
  const { rows } = await store.db.execute<{ bare: boolean; content: string }>(
    sql`select metadata is null as bare, content::text from messages where id = ${message.id}`,
  );
  expect(rows).toEqual([{ bare: true, content: '[{"text": "Why are there tides?", "type": "text"}]' }]);
});

test('who is removed while a message waits for its turn has not sent it', async () => {
  const id = await converse();
  const sent = await whileItWaits(
    id,
    ({ tx }) => removeMember(tx, id, bob.id),
    () => transact(context, (work) => send(work, id, bob)),
  );
  expect(sent).toMatchObject({ status: 'rejected', reason: { code: 'not_found' } });
});

test('what is accepted while a message waits for its turn is seen by it', async () => {
  const id = await converse('reject');
  const sent = await whileItWaits(
    id,
    (work) => send(work, id),
    () => transact(context, (work) => send(work, id, bob)),
  );
  expect(sent).toMatchObject({ status: 'rejected', reason: { code: 'conversation_busy' } });
});

test('a limit that is lowered while a message waits for its budget holds for it', async () => {
  const eve: User = { id: `eve-${randomUUID()}`, name: 'Eve' };
  await saveUser(store.db, eve);
  const id = await converse();
  await store.db.transaction((tx) => addMember(tx, id, eve.id, 'member'));
  await setBudgetLimit(store.db, 'user', eve.id, 1e12);
  await transact(context, (work) => send(work, id, eve)); // its budget is there
  let waiting: Promise<unknown> | undefined;
  await store.db.transaction(async (tx) => {
    await tx.execute(sql`select from budgets where subject = ${eve.id} for update`);
    waiting = transact(context, (work) => send(work, id, eve));
    waiting.catch(() => undefined);
    await expect.poll(waiters, { interval: 5 }).toBe(1);
    await setBudgetLimit(tx, 'user', eve.id, 0);
  });
  await expect(waiting).rejects.toMatchObject({ code: 'budget_exceeded' });
});

test('messages that nothing limits, sent at once, are all in the sums of budgets that were not there', async () => {
  const fay: User = { id: `fay-${randomUUID()}`, name: 'Fay' };
  await saveUser(store.db, fay);
  const ids = await Promise.all([converse(), converse(), converse()]);
  for (const id of ids) await store.db.transaction((tx) => addMember(tx, id, fay.id, 'member'));
  await Promise.all([...ids, ...ids].map((id) => transact(context, (work) => send(work, id, fay))));
  const sums = (of: string) => sql`(select sum(reserved_nano) from budgets where ${sql.raw(of)})::float8`;
  const { rows } = await store.db.execute<Record<'user' | 'conversations' | 'generations', number>>(
    sql`select ${sums(`subject = '${fay.id}'`)} as user,
      ${sums(`subject in (${ids.map((id) => `'${id}'`).join()})`)} as conversations,
      (select sum(reserved_nano) from generations where user_id = ${fay.id})::float8 as generations`,
  );
  expect(rows[0]?.generations).toBeGreaterThan(0);
  expect(rows[0]).toMatchObject({ user: rows[0]?.generations, conversations: rows[0]?.generations });
});

test('where a last statement fails nothing of the transaction is kept', async () => {
  const id = await converse();
  const failing = transact(context, async (work) => {
    await send(work, id);
    work.last({
      kind: 'impossible',
      build: (_, value) =>
        sql`insert into outbox (room, kind, type, data) select 'none', 'event', 'x', (1 / ${value('zero')}::int)::text`,
      values: { zero: 0 },
    });
  });
  expect(await failing.catch(rootCause)).toMatchObject({ code: '22012' });
  const { rows } = await store.db.execute<{ count: number }>(
    sql`select (select count(*) from messages where conversation_id = ${id})::int
      + (select count(*) from generations where conversation_id = ${id})::int
      + (select count(*) from outbox where room = ${`conversation:${id}`} and type <> 'conversation.updated')::int as count`,
  );
  expect(rows).toEqual([{ count: 0 }]);
});

test('what fails first is told, and not what Postgres has refused behind it', async () => {
  const gus: User = { id: `gus-${randomUUID()}`, name: 'Gus' };
  await saveUser(store.db, gus);
  const id = await converse();
  await store.db.transaction((tx) => addMember(tx, id, gus.id, 'member'));
  await setBudgetLimit(store.db, 'user', gus.id, 1e12); // read behind the lock of the budget, and sent with it
  await transact(context, (work) => send(work, id, gus));
  await transact(context, async ({ tx }) => {
    await tx.execute(sql`select from budgets where subject = ${gus.id} for update`);
    const waiting = transact(context, (work) => send(work, id, gus));
    expect(await waiting.catch(rootCause)).toMatchObject({ code: '55P03' }); // after the store's 5 s for a lock
  });
}, 20_000);

const throws = () => {
  throw new Error('not sent');
};

test.each<[string, (work: Work) => void]>([
  [
    'a last write that cannot be built',
    (work) => {
      work.last({ kind: 'unbuilt', build: throws, values: {} });
    },
  ],
  [
    'a check that fails',
    (work) => {
      work.beforeCommit(throws);
    },
  ],
])('nothing is committed behind %s', async (_, refuse) => {
  const id = await converse();
  const failing = transact(context, async (work) => {
    await send(work, id);
    refuse(work);
  });
  await expect(failing).rejects.toThrow('not sent');
  const { rows } = await store.db.execute(sql`select from messages where conversation_id = ${id}`);
  expect(rows).toEqual([]);
});

test('what is refused while its webhooks are being written is not taken', async () => {
  const id = await converse();
  const hook = { id: randomUUID(), userId: ada.id, url: 'https://example.com/hook', secret: 'x' };
  await store.db.transaction((tx) => insertWebhook(tx, { ...hook, events: ['generation.failed'] }));
  const away = new AbortController();
  let taken: Promise<unknown> | undefined;
  const answering: StoreWatch['answering'] = (work) => {
    taken = work;
    return Promise.race([work, once(away.signal, 'abort').then(() => Promise.reject(new Error('away')))]);
  };
  const command = async (work: Work) => {
    const { message } = await send(work, id);
    const place = { userId: ada.id, conversationId: id, documentId: null };
    const data = async () => {
      away.abort();
      await answered;
      return undefined;
    };
    work.notify({ ...place, type: 'generation.failed', data });
    return { status: 202 as const, body: message };
  };
  const request = { get: () => undefined } as unknown as Request;
  const response = {} as unknown as Response;
  const requireRedis = () => Promise.resolve();
  const accepted = accept({ context, answering, requireRedis }, request, response, { fields: {}, command });
  const answered = accepted.catch((error: unknown) => error);
  expect(await answered).toMatchObject({ message: 'away' });
  await expect(taken).rejects.toThrow('It was refused already.');
  const { rows } = await store.db.execute(sql`select from messages where conversation_id = ${id}`);
  expect(rows).toEqual([]);
});

/** A store of one connection, which everything has in turn. */
async function withOneConnection(use: (db: Database) => Promise<void>): Promise<void> {
  const one = openStore({ url: database.url, maxConnections: 1 });
  try {
    await use(one.db);
  } finally {
    await one.close();
  }
}

async function connectionOf(db: Database): Promise<number | undefined> {
  const { rows } = await db.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`);
  return rows[0]?.pid;
}

const isKept = async (db: Executor, id: string): Promise<boolean> =>
  (await db.select().from(users).where(eq(users.id, id))).length > 0;

test('a connection goes on after a transaction that has failed, and after one that was thrown out of', () =>
  withOneConnection(async (db) => {
    const connection = await connectionOf(db);
    const thrown = db.transaction(() => Promise.reject(new Error('no')));
    await expect(thrown).rejects.toThrow('no');
    const failed = db.transaction((tx) =>
      Promise.all([
        tx.execute(sql`insert into users (id, name) values ('kept?', 'x')`),
        tx.execute(sql`select 1 / 0`),
        tx.execute(sql`select 1`),
      ]),
    );
    await expect(failed).rejects.toThrow();
    expect(await isKept(db, 'kept?')).toBe(false);
    expect(await connectionOf(db)).toBe(connection);
  }));

const forget = (db: Database) => db.execute(sql.raw('deallocate all'));

test('where Postgres has forgotten a statement nothing is kept, and the connection is not used again', () =>
  withOneConnection(async (db) => {
    const id = `kept-${randomUUID()}`;
    const write = () =>
      db.transaction((tx) =>
        together([tx.execute(sql`insert into users (id, name) values (${id}, 'x')`), saveUser(tx, ada)]),
      );
    await saveUser(db, ada);
    const connection = await connectionOf(db);
    await forget(db);
    expect(await write().catch(rootCause)).toMatchObject({ code: '26000' });
    expect(await isKept(db, id)).toBe(false);
    expect(await connectionOf(db)).not.toBe(connection);
    await write();
    expect(await isKept(db, id)).toBe(true);
  }));

test('what Postgres has forgotten does not keep a transaction from being begun, and rolled back', () =>
  withOneConnection(async (db) => {
    const id = `kept-${randomUUID()}`;
    await db.transaction((tx) => tx.execute(sql`select 1`));
    await forget(db);
    const thrown = db.transaction(async (tx) => {
      await saveUser(tx, { id, name: 'x' });
      throw new Error('no');
    });
    await expect(thrown).rejects.toThrow('no');
    expect(await isKept(db, id)).toBe(false);
  }));

test('two statements of one name are two statements, also where the second is sent with the commit', async () => {
  const id = `kept-${randomUUID()}`;
  const called = (tx: Transaction, name: string) =>
    tx
      .insert(users)
      .values({ id: `${id}-${name}`, name: sql.raw(`'${name}'`) })
      .prepare('called_alike')
      .execute();
  await store.db.transaction((tx) => called(tx, 'first'), { closing: (tx) => called(tx, 'second') });
  expect(await Promise.all(['first', 'second'].map((name) => isKept(store.db, `${id}-${name}`)))).toEqual([
    true,
    true,
  ]);
});

test.each<[string, (db: Executor) => Promise<unknown>]>([
  ['fails', (db) => db.execute(sql`select 1 / 0`).execute()],
  [
    'throws',
    () => {
      throw new Error('division by zero');
    },
  ],
])('a look behind the commit that %s is told, and what was committed is kept', async (_, behind) => {
  const id = `kept-${randomUUID()}`;
  const committed = store.db.transaction((tx) => saveUser(tx, { id, name: 'x' }), { behind });
  await expect(committed.catch(rootCause)).resolves.toMatchObject({ message: 'division by zero' });
  expect(await isKept(store.db, id)).toBe(true);
});

test('a failure that nobody minded is told where Postgres makes a rollback of the commit', async () => {
  const id = `kept-${randomUUID()}`;
  const committed = store.db.transaction(async (tx) => {
    await saveUser(tx, { id, name: 'x' });
    await tx.execute(sql`select 1 / 0`).catch(() => undefined);
  });
  await expect(committed).rejects.toThrow('division by zero');
  expect(await isKept(store.db, id)).toBe(false);
});

test('rows that are written while a room is being told are left to whoever tells it', async () => {
  const room = `conversation:${randomUUID()}`;
  const write = () => store.db.insert(outbox).values({ room, kind: 'event', type: 'x', data: '{}' });
  await write();
  const first = await relayOutbox(store.db, [room], async () => {
    await write();
    const second = await relayOutbox(store.db, [room], () => Promise.resolve());
    expect(second.get(room)).toBe('busy');
  });
  expect(first.get(room)).toBe('more');
  const told: number[] = [];
  const tell = (_: string, rows: { id: number }[]) => {
    told.push(...rows.map(({ id }) => id));
    return Promise.resolve();
  };
  expect((await relayOutbox(store.db, [room], tell)).get(room)).toBe('told');
  expect(told).toHaveLength(1);
});

test('rooms are told together, and one that cannot be told keeps its rows and holds up no other', async () => {
  const [good, bad, busy] = ['good', 'bad', 'busy'].map((name) => `conversation:${name}-${randomUUID()}`);
  const all = [good, bad, busy] as [string, string, string];
  await store.db
    .insert(outbox)
    .values(all.map((room) => ({ room, kind: 'event' as const, type: 'x', data: '{}' })));
  const told: string[] = [];
  const outcomes = await relayOutbox(store.db, [all[2]], async () => {
    const beside = await relayOutbox(store.db, all, (room) => {
      told.push(room);
      return room === bad ? Promise.reject(new Error('no Redis')) : Promise.resolve();
    });
    expect(Object.fromEntries(beside)).toEqual({ [all[0]]: 'told', [all[1]]: 'failed', [all[2]]: 'busy' });
  });
  expect(outcomes.get(all[2])).toBe('told');
  expect(told.sort()).toEqual([all[0], all[1]].sort());
  const left = await store.db.select({ room: outbox.room }).from(outbox);
  expect(left.map(({ room }) => room).filter((room) => all.includes(room))).toEqual([bad]);
});
