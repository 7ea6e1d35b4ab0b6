import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasFrontProxy, startFrontProxy, type FrontProxy } from '../../support/front-proxies.js';
import { ownPort } from '../../support/own-port.js';
import { Person } from '../../support/person.js';
import { runCli } from '../../support/cli.js';
import { startSystem, type System } from '../../support/system.js';

/** The proxies of `ops/`, as they are shipped, in front of a real server. */

let system: System;
beforeAll(async () => {
  system = await startSystem({ env: { DEMO_TOKENS_PER_SECOND: '60' } });
});
afterAll(async () => {
  await system.stop();
});

const kinds = ['nginx', 'caddy', 'apache'] as const;
for (const kind of kinds)
  if (!hasFrontProxy(kind)) console.warn(`ops/${kind} is not tested: ${kind} is not installed`);

// Together, since they mostly wait.
describe.concurrent.each(kinds)('behind %s', (kind) => {
  test.runIf(hasFrontProxy(kind))(
    'streams come unbuffered and outlast silence, sockets are upgraded, uploads of 10 MB pass',
    async ({ expect }) => {
      const proxy: FrontProxy = await startFrontProxy(kind, system.api().url);
      try {
        const ada = await Person.signIn(proxy, 'Ada');
        const room = await ada.converse();
        const socket = ada.socket(room);
        await socket.connect();
        const silent = await fetch(`${proxy.url}/v1/conversations/${room}/events`, {
          headers: { authorization: `Bearer ${ada.token}`, 'accept-encoding': 'gzip' },
        });
        expect(silent.headers.get('content-encoding')).toBeNull();
        const reader = readerOf(silent);
        await reader.until('event: snapshot');

        const { code, out } = await runCli(['doctor', '--url', proxy.url], {
          REDIS_URL: system.redisUrl,
          DATABASE_URL: system.databaseUrl,
          PORT: String(await ownPort()),
        });
        expect(out).toMatch(/✓ http\S+ answers in/);
        expect(out).toContain('✓ WebSocket upgrades pass');
        expect(out).toMatch(/✓ Event streams come as they are written: \d+ pieces of text, none late/);
        expect({ code, out }).toMatchObject({ code: 0 });

        const body = new FormData();
        body.set('file', new Blob([new Uint8Array(10_485_760)]), 'zeros.bin');
        const upload = await fetch(`${proxy.url}/v1/documents`, {
          method: 'POST',
          headers: { authorization: `Bearer ${ada.token}` },
          body,
        });
        // The server itself has looked at it, to its last byte.
        expect(await upload.json()).toMatchObject({ code: 'unsupported_media_type' });

        // After the sign of life of a silent stream, both go on where they were.
        await reader.until('\n: \n');
        await ada.http.sendMessage(room, { content: 'after the silence', generate: false });
        await reader.until('after the silence');
        await socket.waitFor('message.created', ({ message }) => message.text === 'after the silence');
        await reader.cancel();
        ada.leave();
      } finally {
        await proxy.stop();
      }
    },
    // Of which it is silent for fifteen.
    180_000,
  );
});

test('test-streaming.sh finds nothing wrong with a server, and says what is wrong with one that is none', async () => {
  const run = (url: string) =>
    promisify(execFile)('bash', ['scripts/test-streaming.sh', url]).then(
      ({ stdout }) => ({ code: 0, out: stdout }),
      (error: unknown) => {
        const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
        return { code, out: stdout + stderr };
      },
    );
  const fine = await run(system.api().url);
  expect(fine.out).toMatch(
    /^ok +the first event comes at once\nok +it is an event stream, not compressed\nok +\d+ pieces came over \d+ ms\n$/,
  );
  expect(fine.code).toBe(0);
  const nobody = await run('http://127.0.0.1:1');
  expect(nobody).toMatchObject({ code: 1, out: expect.stringContaining('No session: does') as string });
});

/** Reads an event stream as text. */
function readerOf(response: Response) {
  if (!response.body) throw new Error('an answer without a body');
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    until: async (words: string) => {
      while (!text.includes(words)) {
        const { done, value } = await reader.read();
        if (done) throw new Error(`the stream has ended before ${JSON.stringify(words)}`);
        text += value;
      }
    },
    cancel: () => reader.cancel(),
  };
}
