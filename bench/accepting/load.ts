/** Whoever sends messages, in a process of its own: so many requests at once, over connections that are kept. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import type { FromLoad, Target, ToLoad } from './load-process.js';

const tell = (message: FromLoad) => process.send?.(message);

process.on('message', (message: ToLoad) => {
  void send(message).then(tell, (error: unknown) => {
    tell({ is: 'failed', reason: String(error) });
  });
});
process.once('disconnect', () => process.exit());

async function send({ urls, targets, inFlight, pauseMs, ms }: ToLoad): Promise<FromLoad> {
  const pools = urls.map((url) => new Pool(url, { connections: inFlight }));
  const latencyMs: number[] = [];
  const cpu = process.cpuUsage();
  const beganAt = performance.now();
  let turn = 0;
  const sendOn = async () => {
    while (performance.now() - beganAt < ms) {
      turn += 1;
      const target = targets[turn % targets.length];
      const pool = pools[turn % pools.length];
      if (target && pool) latencyMs.push(await post(pool, target));
      if (pauseMs > 0) await sleep(pauseMs);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, sendOn));
  const tookMs = performance.now() - beganAt;
  const { user, system } = process.cpuUsage(cpu);
  await Promise.all(pools.map((pool) => pool.close()));
  return { is: 'report', latencyMs, tookMs, cpuShare: (user + system) / (tookMs * 1000) };
}

/** How long it took to be accepted, in ms. */
async function post(pool: Pool, { conversationId, token }: Target): Promise<number> {
  const from = performance.now();
  const { statusCode, body } = await pool.request({
    method: 'POST',
    path: `/v1/conversations/${conversationId}/messages`,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: '{"content":"How do tides come about?"}',
  });
  const text = await body.text();
  if (statusCode !== 202) throw new Error(`answered ${statusCode}: ${text}`);
  return performance.now() - from;
}
