import { afterAll, beforeAll, expect, test } from 'vitest';
import { Person } from '../support/person.js';
import { startSystem, type System } from '../support/system.js';
import { startUpstream, type Upstream } from '../support/upstream.js';

const atOnce = 2;
const crowd = 500;

let upstream: Upstream;
let system: System;

beforeAll(async () => {
  upstream = await startUpstream();
  upstream.answerWith('an answer of some words', { delayMs: 5 });
  system = await startSystem({ upstream, env: { WORKER_CONCURRENCY: String(atOnce) } });
});

afterAll(async () => {
  await system.stop();
  await upstream.close();
});

test('somebody with 500 queued generations does not hold up another’s first', async () => {
  const busy = await Person.signIn(system.api(), 'Busy');
  const other = await Person.signIn(system.api(), 'Other');
  const crowded = await busy.converse({ concurrency: 'parallel' });
  for (let sent = 0; sent < crowd; sent += 50)
    await Promise.all(Array.from({ length: 50 }, (_, i) => busy.ask(crowded, `crowd ${sent + i}`)));

  const room = await other.converse();
  const askedBefore = upstream.requests.length;
  expect(askedBefore).toBeLessThan(crowd - 50);
  const { generation } = await other.ask(room, 'the other’s first');
  const mine = await upstream.nextRequest(({ body }) => JSON.stringify(body).includes('the other’s first'));
  const overtaken = upstream.requests.indexOf(mine) - askedBefore;
  expect(overtaken).toBeGreaterThanOrEqual(0);
  // Those that had a worker's slot already, or took one while the question was on its way to the queue.
  expect(overtaken).toBeLessThanOrEqual(5 * atOnce);
  expect((await other.ended(generation.id)).status).toBe('completed');
  const { running } = (await busy.call<{ running: number }>('GET', `/v1/conversations/${crowded}`)).body;
  expect(running).toBeGreaterThan(0);
});
