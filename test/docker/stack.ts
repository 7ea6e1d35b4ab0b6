/**
 * Builds the image, brings up docker-compose.yml and uses it from outside through the proxy, as users do. Needs a
 * Docker engine and nothing of the host but a free port; the stack is taken down in any case.
 */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../src/lib/free-port.js';
import type { Generation } from '../../src/domain/generation.js';
import { Compose, type Container } from './compose.js';
import { stopWatching, watchEvents, watchSocket } from './watch.js';

const port = await freePort();
const base = `http://127.0.0.1:${port}`;
const compose = new Compose(`tokencast-test-${process.pid}`, {
  PORT: String(port),
  // Slow enough to kill something in mid-answer.
  DEMO_TOKENS_PER_SECOND: '40',
});

let passed = 0;
let current = '';

async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  current = name;
  const startedAt = performance.now();
  const result = await work();
  passed += 1;
  console.log(`ok   ${name} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
  return result;
}

const note = (text: string) => {
  console.log(`     ${text}`);
};

/** Tries until `attempt` does not throw; its last error after `timeoutMs`. */
async function eventually<T>(timeoutMs: number, attempt: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(250);
    }
  }
}

async function call<T>(token: string | undefined, method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(base + path, {
    method,
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(20_000),
  });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path} answered ${response.status}: ${text}`);
  return JSON.parse(text) as T;
}

async function story(): Promise<void> {
  await step('the image is built', () => compose.read('--progress', 'plain', 'build', 'api'));
  await step('jwt mode without a key to check tokens with is refused in one line', () =>
    assert.rejects(
      compose.read('run', '--rm', '-T', '--no-deps', '-e', 'AUTH_MODE=jwt', 'secret'),
      /^AUTH_MODE=jwt needs AUTH_SECRET or AUTH_JWKS_URL.*$/m,
    ),
  );
  await step('the stack comes up in the order of health', () =>
    compose.show('--progress', 'quiet', 'up', '--detach'),
  );
  await step('two apis and two workers are healthy, and the proxy answers', () =>
    eventually(60_000, async () => {
      await healthy('api', 2);
      await healthy('worker', 2);
      await call(undefined, 'GET', '/readyz');
    }),
  );

  const { token } = await step('a session is taken', () =>
    call<{ token: string }>(undefined, 'POST', '/v1/sessions', { name: 'Ada' }),
  );
  await step('a token of one api is good at all', async () => {
    const names = await Promise.all(
      Array.from({ length: 20 }, () => call<{ user: { name: string } }>(token, 'GET', '/v1/me')),
    );
    assert.deepEqual(new Set(names.map(({ user }) => user.name)), new Set(['Ada']));
    const used = await addressesUsed();
    for (const api of await compose.containers('api'))
      assert.ok(used.has(await compose.address(api)), api.name);
  });

  const { id } = await step('a conversation is made', () =>
    call<{ id: string }>(token, 'POST', '/v1/conversations', { title: 'Through the proxy', model: 'demo' }),
  );
  const target = { base, token, conversationId: id };
  const ask = async (content: string) => {
    const path = `/v1/conversations/${id}/messages`;
    const { generation } = await call<{ generation: Generation }>(token, 'POST', path, { content });
    return generation.id;
  };

  const websocket = await step('a websocket client joins', () =>
    watchSocket('websocket', target, { transports: ['websocket'] }),
  );
  const polling = await step('a client that only polls joins', () =>
    watchSocket('polling', target, { transports: ['polling'] }),
  );
  const byDefault = await step('a default client joins, polling first, and is upgraded', async () => {
    const watcher = await watchSocket('default', target);
    const { engine } = watcher.socket.io;
    if (engine.transport.name !== 'websocket') {
      await new Promise<void>((resolve, reject) => {
        engine.once('upgrade', () => {
          resolve();
        });
        engine.once('upgradeError', reject);
      });
    }
    return watcher;
  });
  const events = await step('an event stream opens', () => watchEvents('sse', target));
  const all = [websocket.answers, polling.answers, byDefault.answers, events];

  /** All clients have the whole answer, and it is the one that the record has. */
  const answered = async (generationId: string) => {
    const seen = await Promise.all(all.map((answers) => answers.until(generationId, ({ end }) => !!end)));
    const record = await call<Generation>(token, 'GET', `/v1/generations/${generationId}`);
    assert.equal(record.status, 'completed', JSON.stringify(record.error));
    assert.ok(record.text.length > 20, `an answer, not ${JSON.stringify(record.text)}`);
    seen.forEach((answer, index) => {
      const client = all[index]?.client ?? '';
      assert.equal(answer.text, record.text, `the deltas of ${client}`);
      assert.equal(answer.end?.text, record.text, `the message at the end of ${client}`);
    });
    return { seen, record };
  };

  await step('a question is answered to all of them, live and alike', async () => {
    const { seen, record } = await answered(await ask('What is a queue? Answer in a few sentences.'));
    seen.forEach(({ firstTextAt = Infinity, lastTextMadeAt = '' }, index) => {
      const aheadMs = Date.parse(lastTextMadeAt) - firstTextAt;
      const client = all[index]?.client ?? '';
      assert.ok(aheadMs > 0, `${client} has the first text ${-aheadMs} ms after the last was made`);
      note(`${client}: first text ${aheadMs} ms before the last was made`);
    });
    note(`${record.text.length} characters`);
  });

  const api = (await compose.containers('api')).find(({ id: container }) =>
    // A session's id begins with the container's: see docker/nginx.conf.
    polling.socket.io.engine.id.startsWith(container.slice(0, 12)),
  );
  assert.ok(api, 'the api of the polling client is known by its session');

  await step('an api and a worker are killed in mid-answer, and nothing of it is lost', async () => {
    const generationId = await ask('Tell me a long story about a letter that was lost.');
    await Promise.all(all.map((answers) => answers.until(generationId, ({ text }) => text !== '')));
    const worker = await busyWorker();
    await Promise.all([compose.kill(api), compose.kill(worker)]);
    note(`killed ${api.name} and ${worker.name}`);
    const { record } = await answered(generationId);
    assert.equal(record.attempt, 2, 'another worker has taken over');
    note(`${record.text.length} characters`);
  });

  await step('a question is answered by the api and the worker that are left', async () => {
    await answered(await ask('And now?'));
  });

  await step('started again, they are used again', async () => {
    await compose.show('--progress', 'quiet', 'up', '--detach', '--no-recreate');
    await eventually(60_000, async () => {
      await healthy('api', 2);
      await healthy('worker', 2);
    });
    const address = await compose.address(api);
    await eventually(20_000, async () => {
      await Promise.all(Array.from({ length: 10 }, () => call(undefined, 'GET', '/healthz')));
      assert.ok((await addressesUsed('20s')).has(address), `${api.name} at ${address} gets requests`);
    });
    await answered(await ask('Is everybody back?'));
  });

  await step('scaled to three apis and five workers, the new ones are used, too', async () => {
    await compose.show(
      ...['--progress', 'quiet', 'up', '--detach', '--no-recreate'],
      ...['--scale', 'api=3', '--scale', 'worker=5'],
    );
    await eventually(60_000, async () => {
      await healthy('api', 3);
      await healthy('worker', 5);
    });
    await eventually(20_000, async () => {
      await Promise.all(Array.from({ length: 15 }, () => call(undefined, 'GET', '/healthz')));
      const used = await addressesUsed('20s');
      for (const each of await compose.containers('api'))
        assert.ok(used.has(await compose.address(each)), `${each.name} gets requests`);
    });
    await answered(await ask('And with more of you?'));
  });

  await step('no log has a secret', async () => {
    const secret = await compose.read('exec', '-T', 'api', 'cat', '/var/lib/tokencast/auth-secret');
    assert.ok(secret.length >= 32);
    const logs = await compose.read('logs', '--no-color');
    assert.ok(!logs.includes(secret.trim()), 'AUTH_SECRET');
    assert.ok(!logs.includes(token), 'the access token of an event stream');
  });
}

async function healthy(service: string, count: number): Promise<void> {
  const containers = await compose.containers(service);
  const states = containers.map(({ name, state, health }) => `${name} ${state} ${health}`).join(', ');
  const well = containers.filter(({ state, health }) => state === 'running' && health === 'healthy');
  assert.equal(well.length, count, `${count} healthy of ${service}: ${states}`);
}

/** The worker that runs a generation, by its own metrics. */
async function busyWorker(): Promise<Container> {
  for (const worker of await compose.containers('worker')) {
    const running = await compose.evaluate(
      worker,
      "fetch('http://127.0.0.1:3001/metrics').then((answer) => answer.text()).then(console.log)",
    );
    if (/^tokencast_generations_running [1-9]/m.test(running)) return worker;
  }
  throw new Error('no worker runs a generation');
}

/** The addresses of the apis that answered, from the proxy's log. */
async function addressesUsed(since = '10m'): Promise<Set<string>> {
  const log = await compose.read('logs', '--no-color', '--since', since, 'proxy');
  return new Set(Array.from(log.matchAll(/ api (?:.*, )?([\d.]+):3000\b/g), ([, address = '']) => address));
}

const interrupted = new Promise<never>((_, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      reject(new Error(`ended by ${signal}`));
    });
  }
});

let failed = 0;
try {
  await Promise.race([story(), interrupted]);
} catch (error) {
  failed = 1;
  console.log(`FAIL ${current}`);
  // A command that failed: what it wrote, once.
  const { stdout, stderr } = error as Partial<Record<'stdout' | 'stderr', string>>;
  console.error(stdout === undefined ? error : `${stdout}${stderr ?? ''}`);
  await compose.show('ps', '--all').catch(() => undefined);
  await compose.show('logs', '--no-color', '--tail', '40', 'api', 'worker', 'proxy').catch(() => undefined);
} finally {
  stopWatching();
  await compose
    .show('--progress', 'quiet', 'down', '--volumes', '--timeout', '15')
    .catch((error: unknown) => {
      failed = 1;
      console.error(error);
    });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed);
