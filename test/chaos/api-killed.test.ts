import { expect, test } from 'vitest';
import type { Generation, Message } from '../../src/client/index.js';
import { conversationRoom } from '../../src/wire/room.js';
import { continuing, type UpstreamBody } from '../support/upstream.js';
import { eventually, setStage } from './stage.js';

type Accepted = { message: Message; generation: Generation };

test('what an api accepted before it died is told and answered, and its key still stands for it', async () => {
  const { system, upstream, ada, sql } = await setStage({ apis: 2 });
  const [dying, other] = system.apis;
  if (!dying || !other) throw new Error('two apis were asked for');
  const conversation = await ada.converse();
  const socket = ada.via(other).socket(conversation);
  await socket.connect();
  const path = `/v1/conversations/${conversation}/messages`;
  const body = { content: 'Hello?' };
  const options = { headers: { 'idempotency-key': 'one-and-only' } };

  // Whoever relays the room holds this lock: the api has committed, and cannot tell anybody.
  const relaying = await sql.reserve();
  await relaying`select pg_advisory_lock(hashtextextended(${conversationRoom(conversation)}, 0))`;
  const accepted = await ada.call<Accepted>('POST', path, body, options);
  expect(accepted.status).toBe(202);
  dying.kill('SIGKILL');
  await dying.exited();
  expect(socket.of('message.created')).toEqual([]);
  expect(upstream.requests).toEqual([]);
  await relaying`select pg_advisory_unlock_all()`;
  relaying.release();
  const freeAt = performance.now();

  const request = await upstream.nextRequest();
  expect(request.receivedAtMs - freeAt).toBeLessThan(10_000);
  const { message } = await socket.waitFor('message.created');
  expect(message.id).toBe(accepted.body.message.id);
  request.text('Hello!').stop();
  expect((await socket.ended(accepted.body.generation.id)).message?.text).toBe('Hello!');

  const again = await ada.via(other).call<Accepted>('POST', path, body, options);
  expect(again.status).toBe(202);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect(again.body).toEqual(accepted.body);
  expect(socket.of('message.created')).toHaveLength(1);
  expect(upstream.requests).toHaveLength(1);
}, 60_000);

test('what two apis accepted is answered in the order of acceptance, though an api and a worker die in between', async () => {
  const { system, upstream, ada } = await setStage({ apis: 2, workers: 2 });
  const conversation = await ada.converse();
  const asked: string[] = [];
  let atOnce = 0;
  let mostAtOnce = 0;
  upstream.answerWith(
    async function* (body) {
      const question = questionOf(body);
      if (asked.at(-1) !== question) asked.push(question); // a second attempt asks the same again
      atOnce += 1;
      mostAtOnce = Math.max(mostAtOnce, atOnce);
      try {
        yield* continuing(answerTo(question))(body);
      } finally {
        atOnce -= 1;
      }
    },
    { delayMs: 20 },
  );
  const send = (from: number, to: number, apis: readonly number[]) =>
    Promise.all(
      Array.from({ length: to - from }, (_, i) =>
        ada.via(system.api(apis[i % apis.length])).ask(conversation, `Question ${from + i}?`),
      ),
    );

  const before = await send(0, 6, [0, 1]);
  await eventually(() => asked.length === 2);
  system.api(0).kill('SIGKILL');
  system.worker(0).kill('SIGKILL');
  const after = await send(6, 10, [1]);

  const inOrder = [...before, ...after].toSorted((a, b) => a.message.position - b.message.position);
  for (const { generation } of inOrder) await ada.via(system.api(1)).ended(generation.id);
  expect(asked).toEqual(inOrder.map(({ message }) => message.text));
  expect(mostAtOnce).toBe(1);
  const { items } = await ada.via(system.api(1)).http.listMessages(conversation);
  expect(items.map(({ text }) => text)).toEqual(
    inOrder.flatMap(({ message: { text } }) => [text, answerTo(text)]),
  );
});

const answerTo = (question: string) => `This is all that there is to say in answer to: ${question}`;

/** The last question that a request asks, however it asks for the rest of an answer. */
function questionOf({ messages }: UpstreamBody): string {
  const said = messages.filter(({ role }) => role === 'user').map(({ content }) => JSON.stringify(content));
  return said.flatMap((text) => text.match(/Question \d+\?/g) ?? []).at(-1) ?? '';
}
