import { createHash } from 'node:crypto';
import { expect, test, onTestFinished } from 'vitest';
import { Person } from '../../support/person.js';
import { openScene } from '../../support/scene.js';
import { startPostgres } from '../../support/stores.js';
import type { SystemProcess } from '../../support/system.js';
import { PlainSocket } from './plain-socket.js';
import { sendRaw } from './raw-request.js';

/** A word that can stand nowhere by accident. */
const secretWord = (what: string) => `hush-${createHash('sha256').update(what).digest('hex').slice(0, 12)}`;

const written = {
  title: secretWord('title'),
  system: secretWord('system'),
  prompt: secretWord('prompt'),
  answer: secretWord('answer'),
  partial: secretWord('partial'),
  metadata: secretWord('metadata'),
  userAgent: secretWord('userAgent'),
  clientId: secretWord('clientId'),
  edited: secretWord('edited'),
  remark: secretWord('remark'),
  query: secretWord('query'),
  broken: secretWord('broken'),
  fault: secretWord('fault'),
};
const keys = {
  ADMIN_TOKEN: secretWord('admin'),
  AUTH_SECRET: secretWord('secret').repeat(3),
  ANTHROPIC_API_KEY: `sk-ant-${secretWord('key')}`,
};

/** Resolves with the line, said or to be said. */
async function line({ output }: SystemProcess, ...parts: string[]): Promise<string> {
  for (;;) {
    const found = output.find((entry) => parts.every((part) => entry.includes(part)));
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

test(
  'at the chattiest level no log has a token, a key, or what anybody wrote',
  { timeout: 90_000 },
  async () => {
    const database = await startPostgres();
    onTestFinished(() => database.dispose());
    const scene = await openScene({ databaseUrl: database.url, env: { LOG_LEVEL: 'trace', ...keys } });
    onTestFinished(() => scene.close());
    const { system, ada, upstream } = scene;
    const [api, worker] = [system.api(), system.worker()];
    const bob = await Person.signIn(api, 'Bob');

    // A whole life, by every door.
    const conversationId = await ada.converse({ title: written.title, system: written.system });
    const path = `/v1/conversations/${conversationId}`;
    const socket = await PlainSocket.connect(api.url, ada.token);
    await socket.ask('join', { room: `conversation:${conversationId}` });
    await socket.ask('authenticate', { token: ada.token });
    await socket.ask('authenticate', { token: `${ada.token}x` });
    await expect(PlainSocket.connect(api.url, `${ada.token}x`)).rejects.toThrow('unauthenticated');
    const polling = ada.socket(conversationId, ['polling']);
    await polling.connect();
    const sent = await ada.call<{ message: { id: string }; generation: { id: string } }>(
      'POST',
      `${path}/messages`,
      { content: written.prompt, clientId: written.clientId, metadata: { a: written.metadata } },
      { headers: { 'idempotency-key': 'once', 'user-agent': written.userAgent } },
    );
    expect(sent.status).toBe(202);
    const model = await scene.modelFor(written.prompt);
    expect(JSON.stringify(model.headers)).toContain(keys.ANTHROPIC_API_KEY);
    const query = `access_token=${ada.token}`;
    await sendRaw(api.url, {
      method: 'GET',
      path: `/v1/generations/${sent.body.generation.id}/events?${query}`,
    });
    model.text(written.answer).stop();
    await ada.ended(sent.body.generation.id);
    await ada.call('PATCH', `/v1/messages/${sent.body.message.id}`, { content: written.edited });
    await ada.call('POST', `${path}/messages`, { content: written.remark, generate: false });
    await ada.call('GET', `/v1/conversations?q=${written.query}`);
    const invited = await ada.call<{ token: string }>('POST', `${path}/invites`, {});
    expect((await bob.call('POST', `/v1/invites/${invited.body.token}/accept`)).status).toBe(200);
    await sendRaw(api.url, { method: 'GET', path: `/invite/${invited.body.token}` });
    for (const authorization of [`Bearer ${keys.ADMIN_TOKEN}`, `Basic ${keys.ADMIN_TOKEN}`])
      await fetch(`${api.url}/metrics`, { headers: { authorization } });
    await sendRaw(api.url, {
      method: 'POST',
      path: `${path}/messages`,
      headers: { authorization: `Bearer ${ada.token}`, 'content-type': 'application/json' },
      body: `{"content":"${written.broken}`,
    });

    // A model that fails, with the prompt in its words.
    const failing = await ada.ask(conversationId, 'fail, please', { onCrash: 'continue' });
    const refused = await scene.modelFor('fail, please');
    refused.fail(400, { type: 'error', error: { type: 'invalid_request_error', message: written.fault } });
    await ada.ended(failing.generation.id);
    expect(await line(worker, 'interrupted', failing.generation.id)).toContain('"reason":"provider_error"');

    // A database that is away when the end is to be stored, and when a request comes.
    const late = await ada.ask(conversationId, 'and again');
    const again = await scene.modelFor('and again');
    await database.kill();
    again.text(written.partial).stop();
    await line(worker, 'the end cannot be stored yet');
    await ada.call('POST', `${path}/messages`, { content: written.prompt });
    await database.start();
    await polling.ended(late.generation.id);

    // One that is cancelled.
    const cancelled = await ada.ask(conversationId, 'never mind');
    (await scene.modelFor('never mind')).text(written.partial);
    await polling.until(() => polling.written(cancelled.generation.id).includes(written.partial));
    await ada.call('POST', `/v1/generations/${cancelled.generation.id}/cancel`);
    const interrupted = JSON.parse(await line(worker, 'interrupted', cancelled.generation.id)) as object;
    expect(interrupted).toMatchObject({
      status: 'cancelled',
      reason: 'cancelled',
      chunks: 1,
      characters: written.partial.length,
      elapsedMs: expect.any(Number) as unknown,
    });
    socket.close();
    ada.leave();
    expect(upstream.open).toBe(0);

    const secrets = { ...written, ...keys, ada: ada.token, bob: bob.token, invite: invited.body.token };
    for (const { output } of [...system.apis, ...system.workers]) {
      expect(output.length).toBeGreaterThan(0);
      for (const [name, secret] of Object.entries(secrets))
        expect({ name, lines: output.filter((entry) => entry.includes(secret)) }).toEqual({
          name,
          lines: [],
        });
      expect(output.filter((entry) => entry.includes('unhandled'))).toEqual([]);
    }
  },
);
