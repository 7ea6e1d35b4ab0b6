import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { GenerationHandle } from '../../../src/client/generation-handle.js';
import type { RoomConnectionOptions } from '../../../src/client/room-view.js';
import { TokencastError } from '../../../src/client/tokencast-error.js';
import { conversationRoom } from '../../../src/wire/room.js';
import type { ConversationSnapshot, RoomEvent } from '../../../src/wire/room-events.js';
import type { Chunk } from '../../../src/domain/content.js';
import { FakeGateway } from './fake-gateway.js';
import {
  blockStart,
  conversation,
  conversationId,
  generation,
  message,
  messageStart,
  textDelta,
} from './sample.js';

const room = conversationRoom(conversationId);
const at = '2026-11-21T12:00:00.000Z';
const generationId = 'g1';

describe('the handle of a generation', () => {
  let gateway: FakeGateway;
  let handle: GenerationHandle;
  let cursor = 1;

  const watch = async (options: Partial<RoomConnectionOptions> = {}) =>
    new GenerationHandle(
      { id: generationId, conversationId, documentId: null },
      { url: await gateway.listen(), getToken: () => 'token', transports: ['websocket'], ...options },
    );
  const tell = (event: Partial<RoomEvent> & Pick<RoomEvent, 'type'>) => {
    cursor += 1;
    gateway.broadcast({ room, cursor: `${cursor}-0`, at, generationId, ...event } as RoomEvent);
  };
  const chunk = (one: Chunk, of = generationId) => {
    tell({ type: 'generation.chunk', generationId: of, messageId: `answer-${of}`, chunk: one });
  };
  const write = (text: string) => {
    chunk(textDelta(0, text));
  };
  const begin = () => {
    chunk(messageStart);
    chunk(blockStart(0, { type: 'text', text: '' }));
  };
  const end = (text: string) => {
    tell({
      type: 'generation.completed',
      generationId,
      generation: generation(generationId, 'completed'),
      message: message('answer-g1', 2, { role: 'assistant', text, content: [{ type: 'text', text }] }),
    });
  };
  /** Joins a room in which the generation has written this much. */
  const join = async (text = '') => {
    const snapshot: ConversationSnapshot = {
      conversation: conversation(),
      messages: [],
      generations: [
        {
          ...generation(generationId, 'running'),
          text,
          content: text === '' ? [] : [{ type: 'text', text }],
        },
      ],
      users: [],
    };
    const joining = await gateway.nextJoin();
    joining.answer({ ok: true, resumed: false, cursor: `${cursor}-0`, snapshot });
    return joining;
  };
  const until = (isSo: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!isSo()) return;
        leave();
        resolve();
      };
      const leave = handle.subscribe(look);
      look();
    });
  const has = (text: string) => until(() => handle.text === text);

  beforeEach(() => {
    cursor = 1;
    gateway = new FakeGateway();
  });
  afterEach(async () => {
    handle.close();
    await gateway.close();
  });

  test('tells what is new of the text and all of it, from what was written before on', async () => {
    handle = await watch();
    const told: [string, string][] = [];
    handle.on('text', (delta, fullText) => told.push([delta, fullText]));
    await join('Be');
    await has('Be');
    write('low');
    chunk(textDelta(0, 'of another'), 'g2');
    write(' that');
    await has('Below that');
    end('Below that.');
    expect(await handle.finished).toMatchObject({ status: 'completed', text: 'Below that.' });
    expect(told).toEqual([
      ['Be', 'Be'],
      ['low', 'Below'],
      [' that', 'Below that'],
      ['.', 'Below that.'],
    ]);
  });

  test('tells nothing twice after a connection that came back with a snapshot, be it older or newer', async () => {
    handle = await watch({ retryDelayMs: 1 });
    const deltas: string[] = [];
    handle.on('text', (delta) => deltas.push(delta));
    await join('one two');
    await has('one two');
    gateway.cut();
    await join('one');
    await until(() => handle.transport !== null);
    write(' two three');
    await has('one two three');
    gateway.cut();
    await join('one two three four');
    await has('one two three four');
    expect(deltas).toEqual(['one two', ' three', ' four']);
  });

  test('says when the generation starts over, and makes everything anew', async () => {
    handle = await watch();
    const counted = handle.addHandler('count', (delta, n: number | undefined) => (n ?? 0) + delta.length);
    const told: string[] = [];
    handle.on('text', (delta) => told.push(delta));
    handle.on('restart', () => told.push('(again)'));
    await join('First tr');
    await has('First tr');
    tell({ type: 'generation.reset', generationId, attempt: 2, reason: 'lost' });
    begin();
    write('Second');
    end('Second');
    await handle.finished;
    expect(told).toEqual(['First tr', '(again)', 'Second']);
    expect(counted.results.count).toBe('Second'.length);
  });

  test('lets no handler that throws disturb another, nor itself later on', async () => {
    handle = await watch();
    const faults: [string, unknown][] = [];
    handle.on('handler-error', (name, error) => faults.push([name, error]));
    const typed = handle
      .addHandler('picky', (delta, kept: string[] | undefined) => {
        if (delta === 'bad') throw new Error('no');
        return [...(kept ?? []), delta];
      })
      .addHandler('all', (delta, all: string | undefined) => (all ?? '') + delta);
    await join('good');
    await has('good');
    for (const word of ['bad', 'fine']) {
      write(word);
      await until(() => handle.text.endsWith(word));
    }
    expect(typed.results).toEqual({ picky: ['good', 'fine'], all: 'goodbadfine' });
    expect(faults).toEqual([['picky', new Error('no')]]);
    const late: string[] = [];
    handle.addHandler('late', (delta) => late.push(delta));
    expect(late).toEqual(['goodbadfine']);
    handle.removeHandler('late');
    write('!');
    await has('goodbadfine!');
    expect(late).toEqual(['goodbadfine']);
  });

  test('can be iterated by several at once, each from the beginning', async () => {
    handle = await watch();
    const read = async () => {
      let text = '';
      for await (const delta of handle) text += delta;
      return text;
    };
    const early = read();
    await join('Once ');
    await has('Once ');
    const late = read();
    write('upon');
    await has('Once upon');
    end('Once upon');
    expect(await Promise.all([early, late])).toEqual(['Once upon', 'Once upon']);
    expect(await read()).toBe('Once upon');
  });

  test('fails with the reason of the generation, and keeps what was written', async () => {
    handle = await watch();
    const errors: Error[] = [];
    handle.on('error', (error) => errors.push(error));
    await join('So f');
    await has('So f');
    const failure = {
      code: 'provider_overloaded',
      message: 'Too much',
      provider: 'demo',
      statusCode: 529,
    } as const;
    tell({
      type: 'generation.failed',
      generationId,
      generation: generation(generationId, 'failed', { error: failure }),
      message: null,
    });
    await expect(handle.finished).rejects.toMatchObject({
      name: 'TokencastError',
      code: 'generation_failed',
      message: 'Too much',
      failure,
    });
    expect(errors).toEqual([await handle.finished.catch((error: unknown) => error)]);
    expect(handle).toMatchObject({ text: 'So f', isComplete: true, metadata: { status: 'failed' } });
    await expect(handle[Symbol.asyncIterator]().next()).resolves.toMatchObject({ value: 'So f' });
  });

  test('ends with the reason of its signal', async () => {
    const leaving = new AbortController();
    handle = await watch({ signal: leaving.signal });
    await join('Half');
    await has('Half');
    const reason = new Error('gone home');
    leaving.abort(reason);
    await expect(handle.finished).rejects.toBe(reason);
    expect(handle).toMatchObject({ isComplete: false, transport: null });
    const already = new GenerationHandle(generationId, { getToken: () => null, signal: leaving.signal });
    await expect(already.finished).rejects.toBe(reason);
  });

  test('gives up with one typed error when as many tries have failed as may', async () => {
    let tries = 0;
    handle = new GenerationHandle(generationId, {
      url: 'http://tokencast.test',
      getToken: () => null,
      maxRetries: 2,
      retryDelayMs: 1,
      fetch: () => {
        tries += 1;
        return Promise.reject(new TypeError('no way'));
      },
    });
    const error: unknown = await handle.finished.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TokencastError);
    expect(error).toMatchObject({ code: 'gave_up', cause: { code: 'unreachable' } });
    expect(tries).toBe(3);
  });
});
