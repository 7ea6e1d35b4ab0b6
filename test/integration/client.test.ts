import { SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  ask,
  watchConversation,
  watchGeneration,
  type GenerationHandle,
  type RoomConnection,
  type RoomConnectionOptions,
  type RoomView,
  type Transport,
} from '../../src/client/index.js';
import { openNarrowProxy, type NarrowProxy } from '../support/narrow-proxy.js';
import { openScene, type Scene } from '../support/scene.js';

/** The client library against the running product, and through proxies that let only some things through. */

const secret = 'a secret of these tests, of more than 32 bytes';

let scene: Scene;
let open: NarrowProxy;
let withoutUpgrades: NarrowProxy;
let buffering: NarrowProxy;

beforeAll(async () => {
  scene = await openScene({ env: { AUTH_SECRET: secret } });
  const target = scene.system.api().url;
  [open, withoutUpgrades, buffering] = await Promise.all([
    openNarrowProxy(target),
    openNarrowProxy(target, { refusesUpgrades: true }),
    openNarrowProxy(target, { refusesUpgrades: true, buffers: true }),
  ]);
});

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});
afterAll(async () => {
  await Promise.all([open, withoutUpgrades, buffering].map((proxy) => proxy.close()));
  await scene.close();
});

const through = (
  proxy: NarrowProxy,
  options: Partial<RoomConnectionOptions> = {},
): RoomConnectionOptions => ({
  url: proxy.url,
  getToken: () => scene.ada.token,
  // Where nothing is held back, a slow machine is not to pass for a proxy.
  firstByteMs: proxy === withoutUpgrades ? 20_000 : 300,
  pollMs: 50,
  ...options,
});

const watch = (...given: Parameters<typeof watchGeneration>): GenerationHandle => {
  const handle = watchGeneration(...given);
  closers.push(handle.close);
  return handle;
};

/** Resolves once it is as wished. */
function until(watched: Pick<RoomConnection, 'subscribe'>, isSo: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (!isSo()) return;
      leave();
      resolve();
    };
    const leave = watched.subscribe(look);
    look();
  });
}

const has = (handle: GenerationHandle, text: string) => until(handle, () => handle.text === text);

const ways: [string, Transport, () => NarrowProxy][] = [
  ['an open way', 'websocket', () => open],
  ['a proxy that refuses upgrades', 'sse', () => withoutUpgrades],
  ['a proxy that buffers', 'polling', () => buffering],
];

describe.each(ways)('behind %s', (_way, transport, proxy) => {
  test(`an answer comes as it is written, by ${transport}, each piece once`, async () => {
    const { generation, model } = await scene.ask();
    const handle = watch(generation, through(proxy()));
    const deltas: string[] = [];
    handle.on('text', (delta, fullText) => {
      deltas.push(delta);
      expect(deltas.join('')).toBe(fullText);
    });
    model.text('one ');
    await has(handle, 'one ');
    expect(handle.transport).toBe(transport);
    expect(handle.isComplete).toBe(false);
    expect(handle.metadata).toMatchObject({ id: generation.id, status: 'running' });
    model.text('two ');
    await has(handle, 'one two ');
    model.text('three').stop();
    const finished = await handle.finished;
    expect(finished).toMatchObject({ status: 'completed', text: 'one two three' });
    expect(deltas).toEqual(['one ', 'two ', 'three']);
    expect(handle).toMatchObject({ text: 'one two three', isComplete: true });
    expect(handle.metadata).toMatchObject({ status: 'completed', usage: finished.usage });
    expect(finished.usage?.outputTokens).toEqual(expect.any(Number));
  });

  test('a conversation is watched, from before its first message to the end of the answer', async () => {
    const conversationId = await scene.ada.converse();
    const connection = watchConversation(conversationId, through(proxy()));
    closers.push(() => {
      connection.close();
    });
    const seen = (isSo: (view: RoomView) => boolean) =>
      until(connection, () => isSo(connection.getSnapshot()));
    await seen(({ connection: { state } }) => state === 'live');
    expect(connection.getSnapshot().transport).toBe(transport);
    const { model, prompt } = await scene.ask({ conversationId });
    model.text('Here ');
    await seen(({ room }) => JSON.stringify(room?.generations[0]?.content ?? '').includes('Here '));
    model.text('it is.').stop();
    await seen(({ room }) => room?.messages.length === 2 && room.generations.length === 0);
    expect(connection.getSnapshot().room?.messages.map(({ text }) => text)).toEqual([
      prompt.text,
      'Here it is.',
    ]);
  });

  test('what has ended before it is watched is told whole', async () => {
    const { generation, model } = await scene.ask();
    model.text('All said.').stop();
    await scene.ada.ended(generation.id);
    for (const reference of [generation, generation.id]) {
      const handle = watch(reference, through(proxy()));
      const deltas: string[] = [];
      for await (const delta of handle) deltas.push(delta);
      expect(deltas).toEqual(['All said.']);
      expect(await handle.finished).toMatchObject({ status: 'completed', text: 'All said.' });
    }
  });

  test('an answer that fails and one that is cancelled end as what they are, with their text', async () => {
    const failing = await scene.ask();
    const failed = watch(failing.generation, through(proxy()));
    failing.model.text('So far');
    await has(failed, 'So far');
    failing.model.error({ type: 'invalid_request_error', message: 'No more' });
    await expect(failed.finished).rejects.toMatchObject({
      code: 'generation_failed',
      failure: { code: expect.any(String) as string },
    });
    expect(failed).toMatchObject({ text: 'So far', isComplete: true });

    const stopping = await scene.ask();
    const cancelled = watch(stopping.generation, through(proxy()));
    stopping.model.text('Not more');
    await has(cancelled, 'Not more');
    await cancelled.cancel();
    expect(await cancelled.finished).toMatchObject({ status: 'cancelled', text: 'Not more' });
  });
});

describe('a way that gets better', () => {
  test('is taken while an answer comes, first streaming and then sockets, and nothing comes twice', async () => {
    const proxy = await openNarrowProxy(scene.system.api().url, { refusesUpgrades: true, buffers: true });
    const { generation, model } = await scene.ask();
    const handle = watch(generation, through(proxy, { betterWayMs: 200 }));
    const deltas: string[] = [];
    handle.on('text', (delta) => deltas.push(delta));
    model.text('polled ');
    await has(handle, 'polled ');
    expect(handle.transport).toBe('polling');

    proxy.set({ buffers: false });
    await until(handle, () => handle.transport === 'sse');
    model.text('streamed ');
    await has(handle, 'polled streamed ');
    const looks = () => proxy.asked.filter((path) => path === `/v1/generations/${generation.id}`).length;
    const looksBefore = looks();

    proxy.set({ refusesUpgrades: false });
    await until(handle, () => handle.transport === 'websocket');
    model.text('by socket').stop();
    await handle.finished;
    expect(deltas).toEqual(['polled ', 'streamed ', 'by socket']);
    expect(looks()).toBe(looksBefore);
    await proxy.close();
  });

  test('is not waited for where the way of now is the best', async () => {
    const { generation, model } = await scene.ask();
    const handle = watch(generation, through(open, { betterWayMs: 20 }));
    const before = open.asked.filter((path) => path.startsWith('upgrade ')).length;
    model.text('one ');
    await has(handle, 'one ');
    model.text('two').stop();
    await handle.finished;
    expect(open.asked.filter((path) => path.startsWith('upgrade ')).length).toBe(before + 1);
  });
});

test('a question is asked and answered in one call, read by several handlers', async () => {
  const conversationId = await scene.ada.converse();
  const asking = ask(conversationId, 'How many?', through(open));
  const model = await scene.modelFor('How many?');
  const handle = (await asking)
    .addHandler('length', (delta, previous: number | undefined) => (previous ?? 0) + delta.length)
    .addHandler('words', (delta, previous: string[] | undefined) => [...(previous ?? []), delta.trim()]);
  closers.push(handle.close);
  model.text('Three ').text('words here').stop();
  await handle.finished;
  expect(handle.results.length).toBe('Three words here'.length);
  expect(handle.results.words?.join(' ')).toBe('Three words here');
});

test('an event stream whose token ends goes on under a fresh one, and nothing is lost or comes twice', async () => {
  const { generation, model } = await scene.ask();
  const { id, name } = scene.ada.user;
  let token = await new SignJWT({ name })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(id)
    .setJti('a session of a test')
    .setIssuedAt()
    .setExpirationTime(Math.floor(Date.now() / 1000) + 5)
    .sign(new TextEncoder().encode(secret));
  const short = token;
  const streams = () =>
    withoutUpgrades.asked.filter((path) => path.endsWith('/events') || path.includes('after='));
  const before = streams().length;
  const handle = watch(
    generation,
    through(withoutUpgrades, {
      getToken: () => token,
      renewToken: () => {
        token = scene.ada.token;
        return Promise.resolve();
      },
    }),
  );
  const deltas: string[] = [];
  handle.on('text', (delta) => deltas.push(delta));
  model.text('before ');
  await has(handle, 'before ');
  // As soon as it is known how the room is watched, which may be behind its first words.
  await expect.poll(() => token).not.toBe(short);
  await until(handle, () => handle.transport === null);
  model.text('after').stop();
  await handle.finished;
  expect(deltas.join('')).toBe('before after');
  expect(streams().slice(before)).toEqual([
    `/v1/generations/${generation.id}/events`,
    expect.stringMatching(/\/events\?after=\d+-\d+$/) as string,
  ]);
});
