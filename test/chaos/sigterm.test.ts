import { expect, test } from 'vitest';
import { TokencastError, TokencastHttp } from '../../src/client/index.js';
import { conversationRoom } from '../../src/wire/room.js';
import type { Person } from '../support/person.js';
import { continuing } from '../support/upstream.js';
import { openFront } from './front.js';
import { LastingSocket } from './lasting-socket.js';
import { about, continuedText, eventually, running, setStage } from './stage.js';

test('a worker that is told to stop takes nothing new and hands over what its grace does not see end', async () => {
  const { system, upstream, ada, row } = await setStage({ env: { SHUTDOWN_GRACE_MS: '1500' } });
  const ask = async (question: string) => {
    const conversation = await ada.converse();
    const socket = ada.socket(conversation);
    await socket.connect();
    const { generation } = await ada.ask(conversation, question);
    const request = await upstream.nextRequest(about(question));
    request.text('Begun');
    await socket.until(() => socket.written(generation.id) === 'Begun');
    return { socket, id: generation.id, request };
  };
  const short = await ask('short');
  const long = await ask('long');
  const [leaving] = system.workers;
  await system.add('worker', { ANTHROPIC_API_KEY: 'of-the-other' });

  leaving?.kill('SIGTERM');
  const stoppedAt = performance.now();
  const fresh = await ada.ask(await ada.converse(), 'fresh');
  const ofFresh = await upstream.nextRequest(about('fresh'));
  expect(ofFresh.headers.authorization).toContain('of-the-other');
  ofFresh.text('Hello.').stop();
  await ada.ended(fresh.generation.id);

  // It goes on for the grace: what ends in it, ends there.
  short.request.text(' and ended').stop();
  expect((await short.socket.ended(short.id)).generation).toMatchObject({ status: 'completed', attempt: 1 });
  long.request.text(', gone on');
  await long.socket.until(() => long.socket.written(long.id) === 'Begun, gone on');

  const closedAt = await long.request.closed;
  expect(closedAt - stoppedAt).toBeGreaterThan(1400);
  const next = await upstream.nextRequest(about('long'));
  expect(next.receivedAtMs - closedAt).toBeLessThan(1500);
  expect(next.headers.authorization).toContain('of-the-other');
  expect(continuedText(next)).toBe('Begun, gone on');
  next.text(', ended').stop();
  const { generation, message } = await long.socket.ended(long.id);
  expect(message?.text).toBe('Begun, gone on, ended');
  expect(long.socket.written(long.id)).toBe('Begun, gone on, ended');
  expect(generation).toMatchObject({ status: 'completed', attempt: 2, error: null });
  expect(await row(long.id)).toMatchObject({ lostWorkers: 0 });
  for (const { socket } of [short, long]) {
    expect(socket.of('generation.warning')).toEqual([]);
    expect(socket.of('generation.reset')).toEqual([]);
    expect(socket.of('snapshot')).toHaveLength(1);
  }
  expect(await leaving?.exited()).toBe(0);
}, 60_000);

test('an api that is told to stop finishes its requests, and its sockets go elsewhere by themselves', async () => {
  const { system, upstream, ada } = await setStage({ apis: 2 });
  const [first, second] = system.apis;
  if (!first || !second) throw new Error('two apis were asked for');
  const front = await openFront([first, second]);
  const conversation = await ada.converse();
  const socket = new LastingSocket({ ...front, token: ada.token, room: conversationRoom(conversation) });
  await socket.connect();

  const waiting = ada.call<{ generation: { status: string } }>(
    'POST',
    `/v1/conversations/${conversation}/messages`,
    { content: 'Hello?' },
    { headers: { prefer: 'wait=20' } },
  );
  const request = await upstream.nextRequest();
  request.text('Hello');
  await socket.until(() => socket.written(socket.state?.generations[0]?.id ?? '') === 'Hello');
  const stream = ada.eventStream(conversation);
  await stream.connect();

  first.kill('SIGTERM');
  // Answered with what there is, rather than cut.
  const { status, body } = await waiting;
  expect(status).toBe(202);
  expect(body.generation.status).toBe('running');
  await stream.end();
  await socket.until(() => socket.joins === 2);
  expect(await first.exited()).toBe(0);

  request.text(' there').stop();
  const { message } = await socket.ended(socket.state?.generations[0]?.id ?? '');
  expect(message?.text).toBe('Hello there');
  expect(socket.written(message?.generationId ?? '')).toBe('Hello there');
  expect(socket.of('snapshot')).toHaveLength(1); // it went on behind its cursor
  expect(socket.refusals).toEqual([]);
}, 60_000);

test('a restart of every process, one after the other and under load, loses nothing', async () => {
  const { system, upstream, ada, answers, sql } = await setStage({
    apis: 2,
    workers: 2,
    env: { SHUTDOWN_GRACE_MS: '300' },
  });
  const text = 'The quick brown fox jumps over the lazy dog, again and again. '.repeat(3).trimEnd();
  upstream.answerWith(continuing(text, 8), { delayMs: 25 });
  const front = await openFront(system.apis);
  const over = new AbortController();
  const visitors = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const conversation = await ada.converse();
      const socket = new LastingSocket({ ...front, token: ada.token, room: conversationRoom(conversation) });
      await socket.connect();
      const asked = askOnAndOn(ada, front.url, conversation, socket, over.signal);
      return { conversation, socket, asked };
    }),
  );
  for (const { socket } of visitors) await socket.waitFor('generation.completed');
  for (const process of [...system.workers, ...system.apis]) {
    process.kill('SIGTERM');
    expect(await process.exited()).toBe(0);
    await process.start();
  }
  over.abort();

  for (const { conversation, socket, asked } of visitors) {
    const ids = await asked;
    expect(ids.length).toBeGreaterThan(3);
    for (const id of ids) {
      const { generation, message } = await socket.ended(id);
      expect(generation.status).toBe('completed');
      expect(message?.text).toBe(text);
      expect(socket.written(id)).toBe(text);
    }
    expect((await answers(conversation)).map((answer) => answer.text)).toEqual(ids.map(() => text));
    expect(socket.of('generation.failed')).toEqual([]);
    expect(socket.of('generation.warning')).toEqual([]);
    expect(socket.of('generation.reset')).toEqual([]);
    expect(socket.of('generation.completed')).toHaveLength(ids.length);
    expect(socket.refusals).toEqual([]);
  }
  expect(await sql`select id from generations where lost_workers > 0`).toEqual([]);
  await eventually(async () =>
    (await Promise.all(system.workers.map(running))).every((count) => count === 0),
  );
}, 120_000);

/** Asks again whenever the answer has come, each question under a key, until the signal fires. Answers what ran. */
async function askOnAndOn(
  person: Person,
  url: string,
  conversation: string,
  socket: LastingSocket,
  signal: AbortSignal,
): Promise<string[]> {
  const http = new TokencastHttp({ baseUrl: url, getToken: () => person.token });
  const ids: string[] = [];
  while (!signal.aborted) {
    const content = `question-${ids.length}`;
    const send = () => http.sendMessage(conversation, { content }, { idempotencyKey: content });
    // A connection that was kept may be closed just when the question is on its way.
    const { generation } = await send().catch((error: unknown) => {
      if (error instanceof TokencastError && error.code === 'unreachable') return send();
      throw error;
    });
    if (!generation) throw new Error('nothing runs');
    ids.push(generation.id);
    await socket.ended(generation.id);
  }
  return ids;
}
