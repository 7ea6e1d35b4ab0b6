import { decodeJwt } from 'jose';
import postgres from 'postgres';
import { expect, onTestFinished, test } from 'vitest';
import { openScene } from '../../support/scene.js';

const userAgent = 'Browser of nobody/1.0';
const ip = '203.0.113.77';

test('where a message came from is stored with it, and told to nobody', async () => {
  const scene = await openScene({ env: { TRUST_PROXY: 'true', LOG_LEVEL: 'trace' } });
  onTestFinished(() => scene.close());
  const { ada, system } = scene;
  const sql = postgres(system.databaseUrl, { max: 1 });
  onTestFinished(() => sql.end());
  const { jti: sessionId = '' } = decodeJwt(ada.token);
  expect(sessionId).not.toBe('');

  const conversationId = await ada.converse();
  const [socket, stream] = [ada.socket(conversationId), ada.eventStream(conversationId)];
  await Promise.all([socket.connect(), stream.connect()]);
  const path = `/v1/conversations/${conversationId}`;
  const headers = { 'user-agent': userAgent, 'x-forwarded-for': ip };
  const content = `whence ${conversationId}`;
  const sent = await ada.call<{ generation: { id: string } }>(
    'POST',
    `${path}/messages`,
    { content },
    { headers },
  );
  const model = await scene.modelFor(content);
  model.text('somewhere').stop();
  const { id } = sent.body.generation;
  await Promise.all([socket.ended(id), stream.ended(id)]);

  const [row] =
    await sql`select origin from messages where conversation_id = ${conversationId} and role = 'user'`;
  expect(row).toEqual({ origin: { ip, userAgent, sessionId } });

  const late = ada.socket(conversationId);
  await late.connect();
  const told = {
    sent: sent.body,
    events: [...socket.events, ...stream.events, ...late.events],
    messages: await ada.call('GET', `${path}/messages`),
    conversation: await ada.call('GET', path),
    generation: await ada.call('GET', `/v1/generations/${id}`),
    model: [model.body, model.headers],
    logs: [...system.apis, ...system.workers].map(({ output }) => output),
  };
  for (const [where, what] of Object.entries(told))
    for (const secret of [userAgent, ip, sessionId])
      expect({ where, said: JSON.stringify(what).includes(secret) }).toEqual({ where, said: false });
});
