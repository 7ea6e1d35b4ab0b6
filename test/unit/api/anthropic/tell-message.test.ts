import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MessageStream } from '../../../../src/api/anthropic/message-stream.js';
import type { MessageEvent } from '../../../../src/api/anthropic/tell-message.js';
import { ContentAccumulator } from '../../../../src/domain/content-accumulator.js';
import type { Chunk, ContentBlock } from '../../../../src/domain/content.js';
import { parseStorable } from '../../../../src/domain/storable.js';
import type { GenerationEvent } from '../../../../src/wire/stream-dialect.js';
import { anyChunks, messageStart } from '../../../support/arbitraries.js';

const text = (value: string): ContentBlock => ({ type: 'text', text: value });
const call = (input: unknown, partial_json?: string): ContentBlock => ({
  type: 'tool_use',
  id: 'c1',
  name: 'open_door',
  input,
  ...(partial_json !== undefined && { partial_json }),
});

const start = (index: number, content_block: ContentBlock): Chunk => ({
  type: 'content_block_start',
  index,
  content_block,
});
const write = (index: number, value: string): Chunk => ({
  type: 'content_block_delta',
  index,
  delta: { type: 'text_delta', text: value },
});
const json = (index: number, partial_json: string): Chunk => ({
  type: 'content_block_delta',
  index,
  delta: { type: 'input_json_delta', partial_json },
});
const stop = (index: number): Chunk => ({ type: 'content_block_stop', index });

/** A client that reads a stream, as one of Anthropic's does, and may be cut off and come back with what it has. */
class Client {
  readonly types: string[] = [];
  readonly content = new ContentAccumulator();
  /** The id of the last event; 0: there is nothing to go on from. */
  cursor = 0;
  error: { type: string; message: string } | undefined;
  ended = false;
  usage: unknown;
  stopReason: string | null = null;
  begun = false;
  /** Blocks that have begun and not ended. */
  readonly open = new Set<number>();
  #stream = this.#connect(false, false);
  #now = 0;

  constructor(private readonly mayBeginAnew = false) {
    this.#stream = this.#connect(false, mayBeginAnew);
  }

  /** Comes back behind the last event that it has seen. */
  resume(): this {
    this.#stream = this.#connect(this.cursor > 0, true);
    return this;
  }

  get over(): boolean {
    return this.#stream.over;
  }

  event(type: string, payload: object, at = ++this.#now): this {
    const event = { type, at: '', cursor: `${at}-0`, ...payload } as unknown as GenerationEvent;
    for (const frame of this.#stream.tell(event).split('\n\n')) if (frame !== '') this.#take(frame);
    return this;
  }

  snapshot(content: ContentBlock[], at?: number): this {
    return this.event('snapshot', { snapshot: { generation: { content } } }, at);
  }

  chunks(...chunks: Chunk[]): this {
    for (const chunk of chunks) this.chunk(chunk);
    return this;
  }

  chunk(chunk: Chunk, at?: number): this {
    return this.event('generation.chunk', { chunk }, at);
  }

  reset(): this {
    return this.event('generation.reset', {});
  }

  end(status: 'completed' | 'cancelled' | 'failed', content: ContentBlock[], more: object = {}): this {
    const usage = { inputTokens: 5, outputTokens: 6, cacheReadInputTokens: 0, cacheCreationInputTokens: 0 };
    const generation = { status, stopReason: 'end_turn', stopSequence: null, usage, error: null, ...more };
    return this.event(`generation.${status}`, { generation, message: { content } });
  }

  #connect(follows: boolean, mayBeginAnew: boolean): MessageStream {
    return new MessageStream({
      generation: { id: 'g1', model: 'm' },
      requestId: 'r1',
      mayBeginAnew,
      follows,
    });
  }

  #take(frame: string): void {
    const [, name, id, data] = /^event: (\w+)\n(?:id: (\d+)-0\n)?data: (.*)$/s.exec(frame) ?? [];
    const event = JSON.parse(data ?? '') as MessageEvent;
    expect(event.type).toBe(name);
    this.types.push(event.type);
    if (id !== undefined) this.cursor = Number(id);
    expect(this.ended || this.error !== undefined).toBe(false);
    switch (event.type) {
      case 'error':
        this.error = event.error;
        return;
      case 'message_start':
        this.begun = true;
        this.open.clear();
        break;
      case 'content_block_start':
        expect([this.begun, event.index, this.open.size]).toEqual([true, this.content.nextIndex, 0]);
        this.open.add(event.index);
        break;
      case 'content_block_delta':
        expect([...this.open]).toEqual([event.index]);
        break;
      case 'content_block_stop':
        expect(this.open.delete(event.index)).toBe(true);
        break;
      case 'message_delta':
        expect([this.begun, this.open.size]).toEqual([true, 0]);
        this.usage = event.usage;
        this.stopReason = event.delta.stop_reason;
        break;
      case 'message_stop':
        this.ended = true;
    }
    this.content.apply(event);
  }
}

describe('a message in the words of the Messages API', () => {
  test('begins with the model, and ends when its end is stored, with the tokens of the run', () => {
    const client = new Client().snapshot([]);
    expect(client.types).toEqual([]);
    client.chunks(messageStart, start(0, text('')), write(0, 'He'), write(0, 'llo'), stop(0));
    client.chunks({
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: {},
    });
    expect(client.types.join(' ')).toBe(
      'message_start content_block_start content_block_delta content_block_delta content_block_stop',
    );
    client.end('completed', [text('Hello')]);
    expect(client.types.slice(5)).toEqual(['message_delta', 'message_stop']);
    expect(client.usage).toEqual({
      input_tokens: 5,
      output_tokens: 6,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
    });
    expect(client.over).toBe(true);
    expect(client.reset().types).toHaveLength(7);
  });

  test('that starts over in the same words is told on from where it gets beyond what was told', () => {
    const client = new Client().chunks(messageStart, start(0, text('')), write(0, 'Hello'));
    client.reset().chunks(messageStart, start(0, text('')), write(0, 'Hel'), write(0, 'lo you'), stop(0));
    expect(client.end('completed', [text('Hello you')]).content.content).toEqual([text('Hello you')]);
    expect(client.types.filter((type) => type === 'message_start')).toHaveLength(1);
  });

  test('that starts over in other words ends with an error, unless nothing of it had been told', () => {
    const client = new Client().chunks(messageStart, start(0, text('')), write(0, 'Hello'));
    client.reset().chunks(messageStart, start(0, text('')), write(0, 'Good day'));
    expect(client.error).toMatchObject({ type: 'overloaded_error' });
    expect(client.over).toBe(true);

    const early = new Client()
      .chunks(messageStart)
      .reset()
      .chunks(messageStart, start(0, text('')));
    early.chunks(write(0, 'Good day'), stop(0)).end('completed', [text('Good day')]);
    expect([early.error, early.ended]).toEqual([undefined, true]);
  });

  test('begins anew for who knows what that means', () => {
    const client = new Client(true).chunks(messageStart, start(0, text('')), write(0, 'Hello'));
    client.reset().chunks(messageStart, start(0, text('')), write(0, 'Good day'), stop(0));
    client.end('completed', [text('Good day')]);
    expect(client.content.content).toEqual([text('Good day')]);
    expect(client.types.filter((type) => type === 'message_start')).toHaveLength(2);
  });

  test.for([
    ['nothing of it', [], call({})],
    ['nothing of it', [], call({ a: 1 })],
    ['all of an empty one', ['{}'], call({})],
    ['all of an empty one, with space', ['{ ', '}'], call({})],
    ['a part', ['{"a"', ': '], call({ a: 1 })],
  ] as const)(
    'has the whole input of a call of which %s was told when its log was lost',
    ([, told, whole]) => {
      const begun = [messageStart, start(0, call({})), ...told.map((piece) => json(0, piece))];
      const behindOthers = new Client().chunks(...begun).snapshot([whole, text('so')]);
      behindOthers.end('completed', [whole, text('so')]);
      expect(behindOthers.content.content).toEqual([whole, text('so')]);
      const last = new Client().chunks(...begun).snapshot([whole]);
      expect(last.end('completed', [whole]).content.content).toEqual([whole]);
    },
  );

  test('that was cancelled or has failed is an error of its kind, behind all that was written', () => {
    const client = new Client().chunks(messageStart, start(0, text('')), write(0, 'Hel'));
    client.end('cancelled', [text('Hello')]);
    expect(client.content.content).toEqual([text('Hello')]);
    expect(client.error).toMatchObject({ type: 'conflict_error' });
    const error = { code: 'provider_overloaded', message: 'Too much.', provider: 'demo', statusCode: 529 };
    expect(new Client().snapshot([]).end('failed', [], { error }).error).toEqual({
      type: 'overloaded_error',
      message: 'Too much.',
    });
  });

  test('ends with what it is where the token ends, and breaks off where nothing can be said', () => {
    const stream = new MessageStream({
      generation: { id: 'g1', model: 'm' },
      requestId: 'r1',
      mayBeginAnew: false,
      follows: false,
    });
    expect(stream.farewell()).toBeUndefined();
    expect(stream.farewell('session.expired')).toMatch(/^event: error\ndata: .*"authentication_error"/);
    expect(stream.heartbeat).toBe('event: ping\ndata: {"type": "ping"}\n\n');
  });
});

/** Content as clients compare it: the inputs of calls by their values, and what is closed as it is stored. */
const comparable = (content: readonly ContentBlock[]) =>
  content.map((block) => {
    if (block.type !== 'tool_use') return block;
    const { partial_json, ...rest } = block;
    return { ...rest, input: partial_json === undefined ? rest.input : readInput(partial_json) };
  });

function readInput(written: string): unknown {
  try {
    return parseStorable(written || '{}');
  } catch {
    return written;
  }
}

const whole = (chunks: readonly Chunk[]): ContentBlock[] => {
  const accumulator = new ContentAccumulator();
  for (const chunk of chunks) accumulator.apply(chunk);
  const last = accumulator.nextIndex - 1;
  if (last >= 0) accumulator.apply(stop(last));
  return accumulator.content;
};

/** Calls write JSON, in pieces; text and thinking write anything. */
const inputs = fc
  .dictionary(fc.string({ maxLength: 3 }), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 })
  .chain((input) =>
    fc.tuple(fc.constantFrom(0, 1), fc.array(fc.nat(), { maxLength: 3 })).map(([indent, cuts]) => {
      const written = JSON.stringify(input, null, indent);
      const places = [...new Set(cuts.map((cut) => cut % (written.length + 1)))].sort((a, b) => a - b);
      return [0, ...places].map((from, n) => written.slice(from, places[n]));
    }),
  );

/** The chunks of an answer, whose calls have an id each and write what is JSON. */
const anyAnswer: fc.Arbitrary<Chunk[]> = fc
  .tuple(anyChunks, fc.array(inputs, { minLength: 4, maxLength: 4 }))
  .map(([chunks, written]) => {
    const calls = new Set<number>();
    return chunks.flatMap((chunk): Chunk[] => {
      if (chunk.type === 'content_block_start' && chunk.content_block.type === 'tool_use') {
        calls.add(chunk.index);
        const { index, content_block } = chunk;
        const pieces = written[index] ?? [];
        return [
          { ...chunk, content_block: { ...content_block, id: `call ${index}` } },
          ...pieces.map((piece) => json(index, piece)),
        ];
      }
      return chunk.type === 'content_block_delta' && calls.has(chunk.index) ? [] : [chunk];
    });
  });

interface Mishap {
  kind: 'lost' | 'cut';
  /** Behind which chunk, of how many. */
  at: number;
  /** Of what is lost, how many chunks. */
  gap: number;
}

const anyMishaps = fc.array(
  fc.record<Mishap>({
    kind: fc.constantFrom('lost', 'cut'),
    at: fc.nat(30),
    gap: fc.nat(8),
  }),
  { maxLength: 4 },
);

test('a message is the content of its generation, wherever its log is lost and its connection cut', () => {
  fc.assert(
    fc.property(anyAnswer, anyMishaps, (chunks, mishaps) => {
      const client = new Client(true);
      for (let at = 0; at < chunks.length; at += 1) {
        for (const { kind, gap } of mishaps.filter((mishap) => mishap.at === at)) {
          if (kind === 'lost') {
            // The snapshot stands at a later place of the log, which goes on from there.
            at = Math.min(at + gap, chunks.length);
            client.snapshot(partOf(chunks.slice(0, at)), at);
          } else {
            const from = client.cursor;
            client.resume();
            if (from === 0) client.snapshot(partOf(chunks.slice(0, at)), at);
            else
              for (let again = from; again < at; again += 1) client.chunk(chunks[again] as Chunk, again + 1);
          }
        }
        const chunk = chunks[at];
        if (chunk) client.chunk(chunk, at + 1);
      }
      client.end('completed', whole(chunks));
      expect(client.error).toBeUndefined();
      expect(client.ended).toBe(true);
      expect(comparable(client.content.content)).toEqual(comparable(whole(chunks)));
    }),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 300) },
  );
});

/** What is known of an answer in its middle: as it is stored, and as it comes from a log. */
function partOf(chunks: readonly Chunk[]): ContentBlock[] {
  const accumulator = new ContentAccumulator();
  for (const chunk of chunks) accumulator.apply(chunk);
  return accumulator.content;
}
