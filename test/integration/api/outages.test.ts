import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startPostgres, startRedis, type TestPostgres, type TestRedis } from '../../support/stores.js';
import { Link } from './link.js';
import { startTestApi, type Answer, type Caller, type TestApi } from './test-api.js';

let redis: TestRedis;
let postgres: TestPostgres;
let redisLink: Link;
let postgresLink: Link;
let api: TestApi;
let ada: Caller;
let path: string;

function through(link: Link, url: string): string {
  const linked = new URL(url);
  linked.port = String(link.port);
  return linked.href;
}

beforeAll(async () => {
  [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
  [redisLink, postgresLink] = await Promise.all([Link.to(redis.port), Link.to(postgres.port)]);
  api = await startTestApi({
    redisUrl: through(redisLink, redis.url),
    databaseUrl: through(postgresLink, postgres.url),
  });
  ada = await api.signIn('Ada');
  const { body } = await ada.call('POST', '/v1/conversations', {});
  path = `/v1/conversations/${(body as { id: string }).id}`;
});
afterAll(async () => {
  await api.close();
  redisLink.close();
  postgresLink.close();
  await Promise.all([redis.dispose(), postgres.dispose()]);
});

const ready = () =>
  expect.poll(async () => (await api.call('GET', '/readyz')).status, { timeout: 10_000 }).toBe(200);
beforeEach(() => ready());

/** The second of the contract, and what a busy machine adds. */
const atOnceMs = 1500;

async function timed(ask: () => Promise<Answer>): Promise<Answer> {
  const begun = performance.now();
  const answer = await ask();
  expect(performance.now() - begun).toBeLessThan(atOnceMs);
  return answer;
}

const send = (key: string) => {
  const message = { content: key, generate: false };
  return ada.call('POST', `${path}/messages`, message, { headers: { 'idempotency-key': key } });
};

const unavailable = { status: 503, body: { code: 'unavailable' } };

interface Outage {
  what: string;
  begin: () => void | Promise<void>;
  end: () => void | Promise<void>;
}

const silence = (link: () => Link) => ({
  begin: () => {
    link().fallSilent();
  },
  end: () => {
    link().goOn();
  },
});
const outages: Outage[] = [
  { what: 'Redis hangs', ...silence(() => redisLink) },
  { what: 'Redis is gone', begin: () => redis.kill(), end: () => redis.start() },
  { what: 'Postgres hangs', ...silence(() => postgresLink) },
  { what: 'Postgres is gone', begin: () => postgres.kill(), end: () => postgres.start() },
];

test.each(outages)(
  'while $what, a message is refused within a second, and taken once when it is back',
  async (outage) => {
    const { what, begin, end } = outage;
    const key = what.replaceAll(' ', '-');
    await begin();
    try {
      const refused = await timed(() => send(key));
      expect(refused).toMatchObject(unavailable);
      expect(refused.headers.get('retry-after')).toBe('1');
      expect(await timed(() => api.call('GET', '/readyz'))).toMatchObject({
        ...unavailable,
        body: { detail: `No answer from ${what.split(' ', 1).join()}.` },
      });
      expect((await api.call('GET', '/healthz')).status).toBe(200);
    } finally {
      await end();
    }
    await ready();
    await expect.poll(async () => (await send(key)).status, { timeout: 10_000 }).toBe(201);
    const { body } = await ada.call('GET', `${path}/messages`);
    const { items } = body as { items: { text: string }[] };
    expect(items.filter(({ text }) => text === key)).toHaveLength(1);
  },
);

test('without Redis whoever has sent too much is told of Redis, too', async () => {
  const strict = await startTestApi({
    redisUrl: through(redisLink, redis.url),
    databaseUrl: through(postgresLink, postgres.url),
    settings: { limits: { userMessagesPerMinute: 2 } },
  });
  try {
    const bob = await strict.signIn('Bob');
    const { body } = await bob.call('POST', '/v1/conversations', {});
    const messages = `/v1/conversations/${(body as { id: string }).id}/messages`;
    await redis.kill();
    for (let sent = 0; sent < 5; sent++)
      expect(await timed(() => bob.call('POST', messages, { content: 'x' }))).toMatchObject(unavailable);
  } finally {
    await redis.start();
    await strict.close();
  }
});

test('while Postgres hangs, reading is refused within a second, too, for many at once', async () => {
  postgresLink.fallSilent();
  try {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => timed(() => ada.call('GET', `${path}/messages`))),
    );
    for (const answer of answers) expect(answer).toMatchObject(unavailable);
  } finally {
    postgresLink.goOn();
  }
});

test('Postgres may die in the middle of many transactions', async () => {
  const sending = Array.from({ length: 40 }, (_, i) => send(`many-${i}`));
  await Promise.race(sending);
  await postgres.kill();
  const first = await Promise.all(sending);
  for (const { status } of first) expect([201, 503]).toContain(status);
  await postgres.start();
  await ready();
  for (let i = 0; i < 40; i++)
    await expect.poll(async () => (await send(`many-${i}`)).status, { timeout: 10_000 }).toBe(201);
  const { body } = await ada.call('GET', `${path}/messages?limit=200`);
  const texts = (body as { items: { text: string }[] }).items.map(({ text }) => text);
  const many = texts.filter((text) => text.startsWith('many-'));
  expect([many.length, new Set(many).size]).toEqual([40, 40]);
});

test('without Redis conversations are read and made, sessions are taken, generations are cancelled', async () => {
  const { body } = await ada.call('POST', `${path}/messages`, { content: 'x' });
  const { generation } = body as { generation: { id: string } };
  await redis.kill();
  try {
    expect((await ada.call('GET', `${path}/messages`)).status).toBe(200);
    expect((await ada.call('POST', '/v1/conversations', {})).status).toBe(201);
    expect((await api.call('POST', '/v1/sessions', { name: 'Bob' })).status).toBe(201);
    expect((await ada.call('POST', `/v1/generations/${generation.id}/cancel`)).status).toBe(202);
  } finally {
    await redis.start();
  }
});
