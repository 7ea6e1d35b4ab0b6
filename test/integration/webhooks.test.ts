import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { whenReady } from '../../src/redis/connect.js';
import { Person } from '../support/person.js';
import { keysLike, openRedis } from '../support/stores.js';
import { startSystem, type System } from '../support/system.js';
import type { WebhookDelivery, WebhookWithSecret } from '../../src/wire/webhooks.js';

interface Got {
  path: string;
  id: string;
  event: { type: string; data: { generation?: { id: string; text: string }; document?: { id: string } } };
}

/** A real receiver: what came, verified with the package that receivers use; what it answers, each test says. */
class Receiver {
  readonly secrets = new Map<string, string>();
  readonly got: Got[] = [];
  readonly #server: Server;
  readonly #waiting = new Set<() => void>();
  /** The status for a path and how often it was asked before; 204 by default. */
  readonly answers = new Map<string, (earlier: number) => number | Promise<number>>();

  constructor() {
    this.#server = createServer((req, res) => {
      void text(req).then(async (body) => {
        const path = req.url ?? '';
        const earlier = this.at(path).length;
        const event = new Webhook(this.secrets.get(path) ?? '').verify(
          body,
          req.headers as Record<string, string>,
        );
        this.got.push({ path, id: String(req.headers['webhook-id']), event: event as Got['event'] });
        for (const look of this.#waiting) look();
        res.statusCode = (await this.answers.get(path)?.(earlier)) ?? 204;
        res.end();
      });
    });
  }

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  at(path: string): Got[] {
    return this.got.filter((one) => one.path === path);
  }

  /** Resolves when so many have come to a path. */
  count(path: string, wanted: number): Promise<Got[]> {
    return new Promise((resolve) => {
      const look = () => {
        if (this.at(path).length < wanted) return;
        this.#waiting.delete(look);
        resolve(this.at(path));
      };
      this.#waiting.add(look);
      look();
    });
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

const receiver = new Receiver();
let base: string;
let system: System;
let ada: Person;

beforeAll(async () => {
  base = await receiver.start();
  system = await startSystem({
    env: { WEBHOOK_ALLOW_PRIVATE: 'true', WEBHOOK_RETRY_SECONDS: '0,0,1,1', DEMO_TOKENS_PER_SECOND: '5000' },
  });
  ada = await Person.signIn(system.api(), 'Ada');
});
afterAll(async () => {
  await system.stop();
  receiver.stop();
});

/** A webhook of somebody's at a path of the receiver. */
async function hook(person: Person, path: string, events?: string[]): Promise<WebhookWithSecret> {
  const { status, body } = await person.call<WebhookWithSecret>('POST', '/v1/webhooks', {
    url: base + path,
    events,
  });
  expect(status).toBe(201);
  receiver.secrets.set(path, body.secret);
  return body;
}

const deliveries = async (person: Person, { id }: { id: string }) =>
  (await person.call<{ items: WebhookDelivery[] }>('GET', `/v1/webhooks/${id}/deliveries`)).body.items;

async function answered(person: Person) {
  const { generation } = await person.ask(await person.converse(), 'Hello', { maxTokens: 20 });
  return person.ended(generation.id);
}

test('what has ended is told, signed, as the API tells it; a refusal is tried again under the same id', async () => {
  receiver.answers.set('/retried', (earlier) => (earlier < 2 ? 500 : 204));
  const made = await hook(ada, '/retried', ['generation.completed', 'generation.cancelled']);
  const generation = await answered(ada);
  const got = await receiver.count('/retried', 3);
  expect(new Set(got.map(({ id }) => id)).size).toBe(1);
  for (const { event } of got)
    expect(event).toMatchObject({
      type: 'generation.completed',
      data: { generation: { id: generation.id, text: generation.text, status: 'completed' } },
    });
  await expect
    .poll(() => deliveries(ada, made))
    .toMatchObject([{ status: 'delivered', attempts: 3, statusCode: 204 }]);
  await ada.call('DELETE', `/v1/webhooks/${made.id}`);
});

test('a document is told of when it is done, not its sections', async () => {
  const made = await hook(ada, '/documents');
  const { id } = await ada.http.uploadDocument(new File(['# One\n\nShort.\n'], 'one.md'), {
    options: { model: 'demo-fast' },
  });
  const [got] = await receiver.count('/documents', 1);
  expect(got?.event).toMatchObject({
    type: expect.stringMatching(/^document\./) as string,
    data: { document: { id } },
  });
  expect(await deliveries(ada, made)).toHaveLength(1);
  await ada.call('DELETE', `/v1/webhooks/${made.id}`);
});

test('neither a worker that is killed while it sends nor a Redis that is wiped loses one', async () => {
  let killed: Promise<void> | undefined;
  receiver.answers.set('/killed', async (earlier) => {
    if (earlier === 0) await (killed = system.worker().end());
    return 204;
  });
  const made = await hook(ada, '/killed', ['generation.completed']);
  await answered(ada);
  await receiver.count('/killed', 1);
  await killed;
  const redis = openRedis();
  await whenReady(redis, 5000);
  const keys = await keysLike(redis, `*${system.keyPrefix}*`);
  expect(keys.some((key) => key.includes(':webhooks:'))).toBe(true);
  await Promise.all(keys.map((key) => redis.del(key)));
  redis.disconnect();
  await system.worker().start();
  const got = await receiver.count('/killed', 2);
  expect(got[1]?.id).toBe(got[0]?.id);
  await expect.poll(() => deliveries(ada, made)).toMatchObject([{ status: 'delivered' }]);
  await ada.call('DELETE', `/v1/webhooks/${made.id}`);
});

test('410 disables a webhook, and its owner can switch it on again', async () => {
  receiver.answers.set('/gone', (earlier) => (earlier === 0 ? 410 : 204));
  const made = await hook(ada, '/gone', ['generation.completed']);
  await answered(ada);
  await receiver.count('/gone', 1);
  const read = async () => (await ada.call('GET', `/v1/webhooks/${made.id}`)).body;
  await expect.poll(read).toMatchObject({ enabled: false, disabledReason: 'gone' });
  await answered(ada);
  expect(await deliveries(ada, made)).toHaveLength(1);
  const on = await ada.call('PATCH', `/v1/webhooks/${made.id}`, { enabled: true });
  expect(on.body).toMatchObject({ enabled: true, disabledReason: null, failingSince: null });
  expect((await ada.call('POST', `/v1/webhooks/${made.id}/test`)).status).toBe(202);
  expect((await receiver.count('/gone', 2))[1]?.event).toMatchObject({ type: 'webhook.test' });
  await ada.call('DELETE', `/v1/webhooks/${made.id}`);
});

test('a webhook is its owner’s alone, its secret is shown once, and what is wrong with one is said', async () => {
  const noor = await Person.signIn(system.api(), 'Noor');
  const made = await hook(ada, '/owned');
  expect(made.secret).toMatch(/^whsec_/);
  expect((await ada.call('GET', `/v1/webhooks/${made.id}`)).body).not.toHaveProperty('secret');
  for (const [method, path] of [
    ['GET', ''],
    ['PATCH', ''],
    ['DELETE', ''],
    ['POST', '/test'],
    ['GET', '/deliveries'],
  ] as const)
    expect(
      (await noor.call(method, `/v1/webhooks/${made.id}${path}`, method === 'PATCH' ? {} : undefined)).status,
    ).toBe(404);
  for (const url of ['ftp://example.com', 'https://a:b@example.com', 'nowhere', ''])
    expect((await ada.call('POST', '/v1/webhooks', { url })).status).toBe(400);
  for (let i = 0; i < 20; i++)
    expect((await noor.call('POST', '/v1/webhooks', { url: base })).status).toBe(201);
  expect(await noor.call('POST', '/v1/webhooks', { url: base })).toMatchObject({
    status: 400,
    body: { code: 'invalid_request' },
  });
});
