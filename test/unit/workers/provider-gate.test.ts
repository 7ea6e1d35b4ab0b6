import { expect, test } from 'vitest';
import { createLogger } from '../../../src/lib/logger.js';
import { ProviderGate } from '../../../workers/provider-gate.js';

const log = createLogger({ level: 'silent', role: 'test' });

test('whoever is stopped while entering does not stay in', async () => {
  const inside = new Set<string>();
  const stopped = new AbortController();
  const gate = new ProviderGate({
    provider: 'demo',
    limits: {
      enter: (id) => {
        inside.add(id);
        stopped.abort(new Error('stopped'));
        return Promise.resolve(0);
      },
      note: (id) => {
        inside.delete(id);
        return Promise.resolve(0);
      },
      hold: () => Promise.resolve(0),
      heldMs: () => Promise.resolve(0),
    },
    queues: { rateLimit: () => Promise.resolve() },
    log,
  });
  await expect(gate.enter(() => undefined, stopped.signal)).rejects.toThrow('stopped');
  expect([...inside]).toEqual([]);
});
