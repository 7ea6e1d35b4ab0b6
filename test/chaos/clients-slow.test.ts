import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { deltaText } from '../../src/domain/content.js';
import type { RoomClient, SocketClient, SseClient } from '../support/clients.js';
import { keepWatching } from '../support/keep-watching.js';
import { metric } from '../support/metrics.js';
import { openRoughProxy, type RoughProxy } from '../support/rough-proxy.js';
import { checkHistories } from './checker/check-history.js';
import { historyOf } from './checker/history.js';
import { eventually, setStage } from './stage.js';

/** From `compose-api.ts`: past it a client is behind. */
const maxPendingBytes = 256 * 1024;
/** What may be on its way when the bound is reached: one page of the log, of a model that is fast. */
const slackBytes = 128 * 1024;

async function proxyTo(api: { url: string }, options?: { random: () => number }): Promise<RoughProxy> {
  const proxy = await openRoughProxy(api.url, options);
  onTestFinished(() => proxy.close());
  return proxy;
}

/** Waits for so many characters of text; counts them as they come, since the book is long. */
async function hasAll(client: RoomClient, length: () => number): Promise<void> {
  let counted = 0;
  let characters = 0;
  await client.until(() => {
    for (const event of client.events.slice(counted))
      if (event.type === 'generation.chunk' && event.chunk.type === 'content_block_delta')
        characters += deltaText(event.chunk.delta)?.length ?? 0;
    counted = client.events.length;
    return characters === length();
  });
}

test('clients that read nothing cost a bounded amount, and have the exact text when they read again', async () => {
  const { system, upstream, ada } = await setStage();
  const api = system.api();
  const conversation = await ada.converse();
  const [toSocket, toStream] = [await proxyTo(api), await proxyTo(api)];
  const quick = ada.socket(conversation);
  const socket = ada.via(toSocket).socket(conversation);
  const stream = ada.via(toStream).eventStream(conversation);
  for (const client of [quick, socket, stream]) await client.connect();
  const { generation } = await ada.ask(conversation, 'Write a long book.');
  const request = await upstream.nextRequest();
  request.text('Once');
  for (const client of [quick, socket, stream])
    await client.until(() => client.written(generation.id) === 'Once');

  for (const proxy of [toSocket, toStream]) proxy.set({ bytesPerSecond: 0 });
  let book = 'Once';
  let mostPending = 0;
  const write = async (enough: () => Promise<boolean>) => {
    do {
      for (let i = 0; i < 10; i += 1) {
        const page = `${book.length} ${'upon a time '.repeat(300)}\n`;
        book += page;
        request.text(page);
      }
      await hasAll(quick, () => book.length);
      mostPending = Math.max(mostPending, await metric(api, 'tokencast_pending_bytes'));
    } while (!(await enough()));
  };
  // The kernel takes some megabytes first.
  await write(async () => (await metric(api, 'tokencast_clients_behind')) === 2);
  const writtenWhenBehind = book.length;
  const memoryWhenBehind = await metric(api, 'process_resident_memory_bytes');
  await write(() => Promise.resolve(book.length > writtenWhenBehind + 4_000_000));
  expect(mostPending).toBeGreaterThan(maxPendingBytes);
  expect(mostPending).toBeLessThan(2 * (maxPendingBytes + slackBytes));
  expect(await metric(api, 'tokencast_clients_behind')).toBe(2);
  // Far from what two clients would hold that are kept everything for; the collector decides the rest.
  const memory = await metric(api, 'process_resident_memory_bytes');
  expect(memory - memoryWhenBehind).toBeLessThan(100_000_000);

  for (const proxy of [toSocket, toStream]) proxy.set({ bytesPerSecond: Infinity });
  for (const client of [socket, stream]) await hasAll(client, () => book.length);
  request.text(' The end.').stop();
  for (const client of [quick, socket, stream]) {
    expect((await client.ended(generation.id)).message?.text).toBe(`${book} The end.`);
    expect(client.written(generation.id)).toBe(`${book} The end.`);
    // They went on from where they were.
    expect(client.of('snapshot')).toHaveLength(1);
  }
  await eventually(async () => (await metric(api, 'tokencast_clients_behind')) === 0);
  await eventually(async () => (await metric(api, 'tokencast_pending_bytes')) === 0);
});

test('over a bad network, with delays, little bandwidth and resets, everybody sees the same', async () => {
  const { system, upstream, ada } = await setStage({ apis: 2 });
  const conversation = await ada.converse();
  const proxies = await Promise.all([0, 1].map((i) => proxyTo(system.api(i))));
  for (const proxy of proxies) proxy.set({ latencyMs: 10, jitterMs: 40, bytesPerSecond: 60_000 });
  const quick = ada.socket(conversation);
  await quick.connect();
  const clients: (SocketClient | SseClient)[] = proxies.flatMap((proxy) => [
    ada.via(proxy).socket(conversation),
    ada.via(proxy).socket(conversation, ['polling']),
    ada.via(proxy).eventStream(conversation),
  ]);
  const done = new AbortController();
  const watching = clients.map((client) => keepWatching(client, done.signal));
  onTestFinished(async () => {
    done.abort();
    await Promise.all(watching);
  });

  const words = Array.from({ length: 600 }, (_, i) => `word ${i} `);
  const text = words.join('').trimEnd();
  const { generation } = await ada.ask(conversation, 'Speak slowly.');
  const request = await upstream.nextRequest();
  for (const [i, word] of words.entries()) {
    request.text(i === words.length - 1 ? word.trimEnd() : word);
    await sleep(10);
    if (i % 60 === 30) proxies[Math.floor(i / 60) % 2]?.reset();
  }
  request.stop();
  const all: RoomClient[] = [quick, ...clients];
  for (const client of all) await client.ended(generation.id);
  done.abort();
  await Promise.all(watching);
  const histories = all.map((client, i) => historyOf(`client ${i}`, conversation, client));
  expect(checkHistories(histories, new Map([[generation.id, { text }]]))).toEqual([]);
});
