import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Chunk } from '../../src/domain/content.js';
import type { Generation, GenerationOptions } from '../../src/domain/generation.js';
import { createLogger } from '../../src/lib/logger.js';
import { ThreadPool } from '../../src/lib/thread-pool.js';
import { ProviderError, type CallOptions, type Provider } from '../../src/providers/provider.js';
import type { LogEntry, RoomLog } from '../../src/redis/room-log.js';
import { beginGeneration, handOverAttempt, type Attempt } from '../../src/service/attempt.js';
import type { ServiceContext } from '../../src/service/service-context.js';
import { findGeneration } from '../../src/store/generations.js';
import { generationRoom } from '../../src/wire/room.js';
import { GenerationRun } from '../../workers/generation-run.js';
import { ProviderGate } from '../../workers/provider-gate.js';
import { ToolRegistry } from '../../workers/tools/tool-registry.js';
import { startTestApi, type Caller, type TestApi } from './api/test-api.js';

/** Attempts of one generation that are stopped, lost and taken over wherever the test wants, in this process. */

const log = createLogger({ level: 'silent', role: 'test' });
let api: TestApi;
let ada: Caller;
let threads: ThreadPool;

beforeAll(async () => {
  api = await startTestApi();
  ada = await api.signIn('Ada');
  threads = new ThreadPool();
});
afterAll(async () => {
  await threads.close();
  await api.close();
});

async function ask(options: GenerationOptions = {}, content = 'Hello?'): Promise<Generation> {
  const made = await ada.call('POST', '/v1/conversations', {});
  const path = `/v1/conversations/${(made.body as { id: string }).id}/messages`;
  const asked = await ada.call('POST', path, { content, generate: options });
  return (asked.body as { generation: Generation }).generation;
}

const read = async ({ id }: Generation) =>
  (await ada.call('GET', `/v1/generations/${id}`)).body as Generation;
const transcriptOf = (generation: Generation) =>
  api.context.roomLog.transcript(generationRoom(generation), generation.id);

async function begin({ id }: Generation): Promise<Attempt> {
  const attempt = await beginGeneration(api.context, id);
  if (!attempt) throw new Error('there is nothing to begin');
  return attempt;
}

/** One call of the model: its chunks, which may wait for what they like. */
type Call = (options: CallOptions) => AsyncIterable<Chunk> | Iterable<Chunk>;

/** A model that answers call after call as it is told. */
function modelOf(...calls: Call[]): Provider {
  const left = [...calls];
  return {
    name: 'demo',
    account: '',
    async *stream(_request, options) {
      const call = left.shift();
      if (!call) throw new Error('the model was not to be asked again');
      options.onResponse?.({ requestId: null, rateLimits: {}, limits: [] });
      yield* call(options);
    },
    complete: () => Promise.reject(new Error('not asked for')),
    close: () => Promise.resolve(),
  };
}

const start: Chunk = {
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'demo',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 10, output_tokens: 1 },
  },
};
const textChunks = (...texts: string[]): Chunk[] => [
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  ...texts.map((text): Chunk => ({
    type: 'content_block_delta',
    index: 0,
    delta: { type: 'text_delta', text },
  })),
];
const blockStop: Chunk = { type: 'content_block_stop', index: 0 };
const end = (outputTokens = 5): Chunk[] => [
  {
    type: 'message_delta',
    delta: { stop_reason: 'end_turn', stop_sequence: null },
    usage: { output_tokens: outputTokens },
  },
  { type: 'message_stop' },
];
const says =
  (...texts: string[]): Call =>
  () => [start, ...textChunks(...texts), blockStop, ...end()];
/** Says something and is silent until it is stopped. */
const saysAndWaits = (...texts: string[]): Call =>
  async function* ({ signal }) {
    yield start;
    yield* textChunks(...texts);
    await new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => {
        reject(signal.reason as Error);
      });
    });
  };
/** Says something and breaks off. */
const saysAndBreaks = (...chunks: Chunk[]): Call =>
  function* () {
    yield* chunks;
    throw new ProviderError('provider_error', 'It broke off.', {
      provider: 'demo',
      statusCode: null,
      retryable: true,
      retryAfterMs: 0,
    });
  };
const never = modelOf();

function runOf(attempt: Attempt, provider: Provider, context: Partial<ServiceContext> = {}): GenerationRun {
  const limits = {
    enter: () => Promise.resolve(0),
    note: () => Promise.resolve(0),
    hold: () => Promise.resolve(0),
    heldMs: () => Promise.resolve(0),
  };
  return new GenerationRun({
    context: { ...api.context, log, ...context },
    provider,
    gate: new ProviderGate({ provider: 'demo', limits, queues: api.context.queues, log }),
    entry: { answered: () => undefined, leave: () => undefined },
    attempt,
    tools: new ToolRegistry({ fetchUrlAllow: [], mcpServers: [] }, threads, log),
    settings: {
      defaultMaxTokens: 4096,
      timeoutMs: 60_000,
      idleTimeoutMs: 60_000,
      firstTokenTimeoutMs: undefined,
      cacheShared: false,
      flushIntervalMs: 0,
    },
  });
}

/** A room log that cannot be opened until it is let go. */
function closedLog(): { roomLog: RoomLog; tried: Promise<void>; letGo: () => void } {
  let isClosed = true;
  let onTry: () => void = () => undefined;
  const tried = new Promise<void>((resolve) => (onTry = resolve));
  const roomLog = new Proxy(api.context.roomLog, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name !== 'open') return value.bind(target) as unknown;
      return async (...args: Parameters<RoomLog['open']>) => {
        onTry();
        if (isClosed) throw new Error('Redis is away');
        return target.open(...args);
      };
    },
  });
  return {
    roomLog,
    tried,
    letGo: () => {
      isClosed = false;
    },
  };
}

/** Writes something in an attempt whose worker then dies. */
async function lose(generation: Generation, ...texts: string[]): Promise<void> {
  const zombie = runOf(await begin(generation), modelOf(saysAndWaits(...texts)));
  const ran = zombie.run();
  await expect.poll(() => transcriptOf(generation)).toContain(texts[0]);
  zombie.stop('fenced');
  await ran;
}

/** A transcript as a worker left it that was lost. */
async function leave(generation: Generation, transcript: string): Promise<void> {
  const { attempt } = (await begin(generation)).generation;
  const room = generationRoom(generation);
  await api.context.roomLog.open(room, generation.id, attempt, { mode: 'replace', n: 0, transcript });
}

/** A transcript that tells of no call. */
const seen = `${[start, ...textChunks()].map((part) => `\n${JSON.stringify(part)}`).join('')}\ntSeen.`;

const chunksIn = (entries: readonly LogEntry[]) =>
  entries.flatMap(({ type, data }) =>
    type === 'generation.chunk' ? [(JSON.parse(data) as { chunk: Chunk }).chunk] : [],
  );

/** What the room is told while something is done. */
async function toldDuring(generation: Generation, action: () => Promise<unknown>): Promise<LogEntry[]> {
  const room = generationRoom(generation);
  await api.context.relay.flush(room, new AbortController().signal);
  const { cursor } = await api.context.roomLog.look(room);
  await action();
  await api.context.relay.flush(room, new AbortController().signal);
  return (await api.context.roomLog.read(room, cursor, 1000))?.entries ?? [];
}

describe('an attempt that is stopped before it knows what was written', () => {
  for (const kind of ['timeout', 'cancelled'] as const)
    test(`ends with what everybody has seen: ${kind}`, async () => {
      const generation = await ask({ flush: { by: 'sentence' } });
      await lose(generation, 'Everybody has seen it. ', 'Nobody');
      const away = closedLog();
      const run = runOf(await begin(generation), never, { roomLog: away.roomLog });
      const ran = run.run();
      await away.tried;
      run.stop(kind);
      away.letGo();
      expect(await ran).toEqual({ kind: 'ended' });
      expect(await read(generation)).toMatchObject({
        status: kind === 'timeout' ? 'failed' : 'cancelled',
        text: 'Everybody has seen it. ',
      });
    });

  test('hands over what was handed over to it', async () => {
    const generation = await ask();
    const first = runOf(await begin(generation), modelOf(saysAndWaits('Seen.')));
    const ran = first.run();
    await expect.poll(() => transcriptOf(generation)).toContain('Seen.');
    first.stop('handOver');
    expect(await ran).toMatchObject({ kind: 'handedOver' });
    const stored = await findGeneration(api.db, generation.id);
    expect(stored).toMatchObject({ status: 'queued', content: [{ text: 'Seen.' }] });
    const away = closedLog();
    const second = runOf(await begin(generation), never, { roomLog: away.roomLog });
    const ranAgain = second.run();
    await away.tried;
    second.stop('handOver');
    expect(await ranAgain).toMatchObject({ kind: 'handedOver' });
    const { content, usage, status } = (await findGeneration(api.db, generation.id)) ?? {};
    expect({ content, usage, status }).toEqual({
      content: stored?.content,
      usage: stored?.usage,
      status: 'queued',
    });
  });
});

test('an attempt that hands over what somebody has cancelled ends it', async () => {
  const generation = await ask();
  const run = runOf(await begin(generation), modelOf(saysAndWaits('So far.')));
  const ran = run.run();
  await expect.poll(() => transcriptOf(generation)).toContain('So far.');
  // Nobody here hears of it.
  expect((await ada.call('POST', `/v1/generations/${generation.id}/cancel`)).status).toBe(202);
  run.stop('handOver');
  expect(await ran).toEqual({ kind: 'ended' });
  expect(await read(generation)).toMatchObject({
    status: 'cancelled',
    stopReason: 'cancelled',
    text: 'So far.',
  });
});

test('what a call had used is counted where Redis had not heard of it before the hand-over', async () => {
  const generation = await ask();
  await leave(generation, seen);
  const { generation: first } = await begin(generation);
  const usage = { inputTokens: 10, outputTokens: 7, cacheReadInputTokens: 0, cacheCreationInputTokens: 0 };
  const content = [{ type: 'text' as const, text: 'Seen. And not.' }];
  expect(await handOverAttempt(api.context, first, { content, usage })).toBe('handedOver');
  await lose(generation, ' More');
  await runOf(await begin(generation), modelOf(says('.'))).run();
  expect(await read(generation)).toMatchObject({
    status: 'completed',
    text: 'Seen. More.',
    usage: { inputTokens: 30, outputTokens: 7 + 2 + 5 },
  });
});

test('a text whose rest the model had no more to say to is closed before the message ends', async () => {
  const generation = await ask();
  const told = await toldDuring(generation, async () => {
    await runOf(
      await begin(generation),
      modelOf(saysAndBreaks(start, ...textChunks('All of it.')), () => [start, ...end()]),
    ).run();
  });
  const types = chunksIn(told).map(({ type }) => type);
  expect(types.slice(-3)).toEqual(['content_block_stop', 'message_delta', 'message_stop']);
});

test('an answer that broke off behind its end is stopped at its share all the same', async () => {
  const generation = await ask({ maxTokens: 100, stopAtPercent: 50 });
  const broken = saysAndBreaks(start, ...textChunks('Short.'), blockStop, ...end().slice(0, 1));
  await runOf(await begin(generation), modelOf(broken, says('x'.repeat(180), 'y'.repeat(200), 'z'))).run();
  const { stopReason, text } = await read(generation);
  expect([stopReason, text.includes('z')]).toEqual(['max_tokens', false]);
});

test('a failure whose worker was lost before it was stored is one all the same', async () => {
  const outputSchema = { type: 'object', required: ['b'] };
  const generation = await ask({ outputSchema });
  const parts: Chunk[] = [start, ...textChunks('{"a":1}'), blockStop, ...end()];
  await leave(generation, parts.map((part) => `\n${JSON.stringify(part)}`).join(''));
  await runOf(await begin(generation), never).run();
  expect(await read(generation)).toMatchObject({ status: 'failed', error: { code: 'schema_mismatch' } });
});

test('an answer of the cache whose replay was lost at its very beginning starts over', async () => {
  const prompt = 'What everybody asks';
  const first = await ask({ cache: true }, prompt);
  await runOf(await begin(first), modelOf(says('The answer.'))).run();
  const second = await ask({ cache: true }, prompt);
  await leave(second, `\n${JSON.stringify(start)}`);
  const attempt = await begin(second);
  const told = await toldDuring(second, () => runOf(attempt, never).run());
  expect(await read(second)).toMatchObject({ cached: true, text: 'The answer.' });
  const types = told.map(({ type }) => type);
  expect(types.indexOf('generation.reset')).toBeGreaterThan(-1);
  expect(types.indexOf('generation.reset')).toBeLessThan(types.indexOf('generation.chunk'));
});
