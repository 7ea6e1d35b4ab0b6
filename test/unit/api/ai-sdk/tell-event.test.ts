import { readUIMessageStream, type UIMessage } from 'ai';
import { describe, expect, test } from 'vitest';
import { startTelling, tellEvent, type EarlierPart } from '../../../../src/api/ai-sdk/tell-event.js';
import type { UiChunk, UiData, UiMetadata } from '../../../../src/api/ai-sdk/ui-chunk.js';
import type { Chunk, ContentBlock } from '../../../../src/domain/content.js';
import type { Generation, GenerationHead, GenerationOptions } from '../../../../src/domain/generation.js';
import type { RoomEventPayloads } from '../../../../src/wire/room-events.js';
import type { GenerationEvent } from '../../../../src/wire/stream-dialect.js';

const head: GenerationHead = {
  id: 'g1',
  conversationId: 'c1',
  documentId: null,
  sectionIndex: null,
  phase: null,
  status: 'running',
  attempt: 1,
  model: 'claude-sonnet-4-5',
  options: {},
  promptId: 'p1',
  messageId: 'm1',
  position: 1,
  stopReason: null,
  stopSequence: null,
  usage: null,
  costUsd: null,
  budget: null,
  metrics: {
    queuedMs: 1,
    firstTokenMs: 2,
    durationMs: 3,
    chunks: 4,
    characters: 5,
    words: 6,
    charactersPerSecond: 7,
    tokensPerSecond: 8,
  },
  provider: 'anthropic',
  requestId: null,
  providerMessageId: null,
  rateLimits: null,
  streamed: true,
  cached: false,
  error: null,
  createdAt: '2026-01-01T00:00:00.000Z',
  startedAt: null,
  endedAt: null,
};

type Told = UIMessage<UiMetadata, UiData>;

const clientTool = { name: 'open_door', description: '', inputSchema: {} };
const text = (value: string): ContentBlock => ({ type: 'text', text: value });
const thinking = (value: string): ContentBlock => ({ type: 'thinking', thinking: value, signature: '' });
const call = (id: string, name: string, input: unknown): ContentBlock => ({
  type: 'tool_use',
  id,
  name,
  input,
});

/** A stream that is told event by event. */
class Stream {
  readonly chunks: UiChunk[] = [];
  #state;

  constructor(
    private readonly options: GenerationOptions = {},
    earlier: readonly EarlierPart[] = [],
  ) {
    this.#state = startTelling('m1', earlier);
  }

  get over() {
    return this.#state.over;
  }

  event(type: GenerationEvent['type'], payload: object): this {
    const event = { type, at: '', ...payload } as unknown as GenerationEvent;
    const { state, chunks } = tellEvent(this.#state, event);
    this.#state = state;
    this.chunks.push(...chunks);
    return this;
  }

  snapshot(...content: ContentBlock[]): this {
    const generation: Generation = { ...head, options: this.options, text: '', content };
    return this.event('snapshot', { snapshot: { generation } });
  }

  chunk(chunk: Chunk): this {
    return this.event('generation.chunk', { generationId: 'g1', messageId: 'm1', chunk });
  }

  start(index: number, block: ContentBlock): this {
    return this.chunk({ type: 'content_block_start', index, content_block: block });
  }

  text(index: number, value: string): this {
    return this.chunk({ type: 'content_block_delta', index, delta: { type: 'text_delta', text: value } });
  }

  json(index: number, partial_json: string): this {
    return this.chunk({
      type: 'content_block_delta',
      index,
      delta: { type: 'input_json_delta', partial_json },
    });
  }

  stop(index: number): this {
    return this.chunk({ type: 'content_block_stop', index });
  }

  whole(): this {
    const delta = { stop_reason: 'end_turn', stop_sequence: null };
    return this.chunk({ type: 'message_delta', delta, usage: {} }).chunk({ type: 'message_stop' });
  }

  result(toolUseId: string, output: string, isError = false): this {
    const payload: RoomEventPayloads['generation.tool_result'] = {
      generationId: 'g1',
      toolUseId,
      name: 'any',
      output,
      isError,
    };
    return this.event('generation.tool_result', payload);
  }

  end(
    status: 'completed' | 'cancelled' | 'failed',
    changes: Partial<GenerationHead>,
    content?: ContentBlock[],
  ): this {
    const generation = { ...head, options: this.options, status, ...changes };
    const message = content ? { content } : null;
    return this.event(`generation.${status}`, { generationId: 'g1', generation, message });
  }

  get types(): string {
    return this.chunks.map(({ type }) => type).join(' ');
  }

  /** What the AI SDK makes of it; what its parts say, in short. */
  async message(): Promise<Told> {
    const stream = new ReadableStream<UiChunk>({
      start: (controller) => {
        for (const chunk of this.chunks) if (chunk.type !== 'error') controller.enqueue(chunk);
        controller.close();
      },
    });
    let last: Told | undefined;
    for await (const message of readUIMessageStream<Told>({ stream })) last = message;
    if (!last) throw new Error('nothing was told');
    return last;
  }

  async parts(): Promise<string[]> {
    return (await this.message()).parts.map((part) => {
      if (part.type === 'text' || part.type === 'reasoning')
        return `${part.type} ${part.state ?? ''}: ${part.text}`;
      return part.type;
    });
  }
}

describe('an answer in the words of the UI message stream', () => {
  test('is text in one step, with what is known of it at its start and at its end', async () => {
    const stream = new Stream().snapshot();
    expect(stream.chunks).toEqual([
      {
        type: 'start',
        messageId: 'm1',
        messageMetadata: {
          generationId: 'g1',
          conversationId: 'c1',
          model: 'claude-sonnet-4-5',
          createdAt: head.createdAt,
        },
      },
    ]);
    stream.start(0, text('')).text(0, 'He').text(0, 'llo').stop(0).whole();
    expect(stream.over).toBe(false);
    const usage = { inputTokens: 1, outputTokens: 2, cacheReadInputTokens: 0, cacheCreationInputTokens: 0 };
    stream.end('completed', { stopReason: 'end_turn', usage, costUsd: 0.01 }, [text('Hello')]);
    expect(stream.over).toBe(true);
    expect(stream.types).toBe(
      'start start-step text-start text-delta text-delta text-end finish-step finish',
    );
    expect(stream.chunks.at(-1)).toMatchObject({ finishReason: 'stop' });
    expect(await stream.message()).toMatchObject({
      id: 'm1',
      metadata: { status: 'completed', stopReason: 'end_turn', usage, costUsd: 0.01, metrics: head.metrics },
      parts: [{ type: 'step-start' }, { type: 'text', text: 'Hello', state: 'done' }],
    });
    expect(stream.end('failed', {}).text(0, 'more').chunks.at(-1)?.type).toBe('finish');
  });

  test('has reasoning, sources, and calls of the worker’s tools, whose results end a step', async () => {
    const stream = new Stream({ tools: ['get_weather'] }).snapshot();
    stream.start(0, thinking(''));
    stream.chunk({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'thinking_delta', thinking: 'Hm' },
    });
    stream.chunk({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'signature_delta', signature: 's' },
    });
    stream
      .stop(0)
      .start(1, call('t1', 'get_weather', {}))
      .json(1, '{"city":')
      .json(1, '"Paris"}')
      .stop(1);
    stream.result('t1', '{"celsius":21}').start(2, text('')).text(2, 'Warm.');
    const citation = { type: 'web_search_result_location', url: 'https://example.com/', title: 'Weather' };
    stream.chunk({ type: 'content_block_delta', index: 2, delta: { type: 'citations_delta', citation } });
    stream.stop(2).whole().end('completed', { stopReason: 'end_turn' }, []);
    expect((await stream.message()).parts).toMatchObject([
      { type: 'step-start' },
      { type: 'reasoning', text: 'Hm', state: 'done' },
      {
        type: 'tool-get_weather',
        state: 'output-available',
        input: { city: 'Paris' },
        output: { celsius: 21 },
        providerExecuted: true,
      },
      { type: 'step-start' },
      { type: 'text', text: 'Warm.' },
      { type: 'source-url', url: 'https://example.com/', title: 'Weather' },
    ]);
  });

  test('leaves the client’s own tools to it, and says that it is asked', async () => {
    const stream = new Stream({ tools: [clientTool] }).snapshot();
    stream
      .start(0, call('t1', 'open_door', {}))
      .stop(0)
      .whole();
    stream.end('completed', { stopReason: 'tool_use' }, [call('t1', 'open_door', {})]);
    const part = (await stream.message()).parts.at(-1);
    expect(part).toMatchObject({ type: 'tool-open_door', state: 'input-available', input: {} });
    expect(part).toHaveProperty('providerExecuted', undefined);
    expect(stream.chunks.at(-1)).toMatchObject({ type: 'finish', finishReason: 'tool-calls' });
  });

  test('brings warnings and objects as data, and what is of the moment as transient data', async () => {
    const stream = new Stream().snapshot();
    stream.event('generation.queued', { generationId: 'g1', generation: { ...head, status: 'queued' } });
    stream.event('generation.progress', {
      generationId: 'g1',
      metrics: head.metrics,
      estimatedPercent: 5,
      estimatedOutputTokens: 100,
      stage: null,
    });
    stream.event('generation.warning', { generationId: 'g1', code: 'near_budget', message: 'Soon.' });
    stream.event('generation.object', { generationId: 'g1', index: 0, value: { a: 1 }, complete: false });
    stream.event('generation.object', { generationId: 'g1', index: 0, value: { a: 12 }, complete: true });
    expect((await stream.message()).parts).toEqual([
      { type: 'data-warning', id: 'near_budget', data: { code: 'near_budget', message: 'Soon.' } },
      { type: 'data-object', id: 'object-0', data: { index: 0, value: { a: 12 }, complete: true } },
    ]);
    expect(stream.chunks).toContainEqual({
      type: 'data-status',
      data: { status: 'queued', attempt: 1 },
      transient: true,
    });
    expect(stream.types).toContain('data-progress');
  });

  test('that is stopped says so: its parts have ended, and calls without a result have none to wait for', async () => {
    const stream = new Stream({ tools: [clientTool, 'get_weather'] }).snapshot();
    stream
      .start(0, text(''))
      .text(0, 'Wait')
      .stop(0)
      .start(1, call('t1', 'get_weather', {}))
      .json(1, '{}')
      .stop(1);
    stream.start(2, call('t2', 'open_door', {})).json(2, '{"door":');
    stream.end('cancelled', { stopReason: 'cancelled' }, [
      text('Wait'),
      call('t1', 'get_weather', {}),
      { type: 'tool_use', id: 't2', name: 'open_door', input: {}, partial_json: '{"door":' },
    ]);
    const { parts, metadata } = await stream.message();
    expect(parts).toMatchObject([
      { type: 'step-start' },
      { type: 'text', text: 'Wait', state: 'done' },
      { type: 'tool-get_weather', state: 'output-error', errorText: 'The answer was stopped.' },
      { type: 'tool-open_door', state: 'output-error', providerExecuted: true },
    ]);
    expect(metadata).toMatchObject({ status: 'cancelled', stopReason: 'cancelled' });
    expect(stream.chunks.at(-1)).toEqual({ type: 'abort', reason: 'cancelled' });
  });

  test('that fails ends with the error', () => {
    const stream = new Stream().snapshot().start(0, text('')).text(0, 'Oh');
    const error = {
      code: 'timeout' as const,
      message: 'It took too long.',
      provider: null,
      statusCode: null,
    };
    stream.end('failed', { error }, [text('Oh')]);
    expect(stream.types).toBe(
      'start start-step text-start text-delta text-end finish-step message-metadata error',
    );
    expect(stream.chunks.at(-1)).toEqual({ type: 'error', errorText: 'It took too long.' });
    expect(stream.over).toBe(true);
  });

  test('ends when the right to read it does', () => {
    const stream = new Stream().snapshot().event('member.left', { user: { id: 'u', name: 'U' } });
    expect(stream.chunks.at(-1)?.type).toBe('error');
    expect(stream.over).toBe(true);
  });
});

describe('who comes in the middle of an answer', () => {
  const content = [
    thinking('Hm'),
    call('t1', 'get_weather', { city: 'Paris' }),
    { type: 'tool_result', tool_use_id: 't1', content: '21' } as ContentBlock,
    text('It is'),
  ];

  test('gets all of it from the first chunk, and goes on in the block that is open', async () => {
    const stream = new Stream({ tools: ['get_weather'] })
      .snapshot(...content)
      .text(2, ' warm')
      .stop(2)
      .whole();
    stream.end('completed', { stopReason: 'end_turn' }, []);
    expect(await stream.parts()).toEqual([
      'step-start',
      'reasoning done: Hm',
      'tool-get_weather',
      'step-start',
      'text done: It is warm',
    ]);
  });

  test('may come in a thought, or in the input of a call', async () => {
    const thought = new Stream().snapshot(thinking('H'));
    thought.chunk({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'thinking_delta', thinking: 'm' },
    });
    expect(await thought.stop(0).parts()).toEqual(['step-start', 'reasoning done: Hm']);

    const begun: ContentBlock = {
      type: 'tool_use',
      id: 't1',
      name: 'open_door',
      input: {},
      partial_json: '{"a"',
    };
    for (const [block, rest] of [
      [begun, ':1}'],
      [call('t1', 'open_door', {}), '{"a":1}'],
    ] as const) {
      const stream = new Stream({ tools: [clientTool] }).snapshot(block).json(0, rest).stop(0);
      expect((await stream.message()).parts.at(-1)).toMatchObject({
        state: 'input-available',
        input: { a: 1 },
      });
    }
  });

  test('gets what the client’s tools were asked before, and answered, in the same message', async () => {
    const earlier: EarlierPart = {
      content: [text('Let me see.'), call('t0', 'open_door', { door: 'left' })],
      options: { tools: [clientTool] },
      results: [{ type: 'tool_result', tool_use_id: 't0', content: '{"open":true}' }],
    };
    const stream = new Stream({ tools: [clientTool] }, [earlier]).snapshot(text('It is open')).whole();
    stream.end('completed', { stopReason: 'end_turn' }, []);
    expect((await stream.message()).parts).toMatchObject([
      { type: 'step-start' },
      { type: 'text', text: 'Let me see.', state: 'done' },
      { type: 'tool-open_door', state: 'output-available', input: { door: 'left' }, output: { open: true } },
      { type: 'step-start' },
      { type: 'text', text: 'It is open', state: 'done' },
    ]);
    expect(stream.types.match(/start-step/g)).toHaveLength(2);
    expect(stream.types.match(/finish-step/g)).toHaveLength(2);
  });
});

describe('an answer that cannot simply go on', () => {
  test('is told from where a new snapshot gets beyond what was told', async () => {
    const stream = new Stream({ tools: ['get_weather'] }).snapshot().start(0, text('')).text(0, 'One, ');
    stream.snapshot(text('One, two'), call('t1', 'get_weather', { city: 'Paris' }));
    stream.result('t1', '21').start(2, text('')).text(2, 'three').snapshot();
    expect(stream.types).not.toContain('data-reset');
    stream.snapshot(
      text('One, two'),
      call('t1', 'get_weather', { city: 'Paris' }),
      { type: 'tool_result', tool_use_id: 't1', content: '21' },
      text('three, four'),
    );
    expect(await stream.parts()).toEqual([
      'step-start',
      'text done: One, two',
      'tool-get_weather',
      'step-start',
      'text streaming: three, four',
    ]);
  });

  test('is told on where it starts over with the same words, and as another where it does not', async () => {
    const restart: Chunk = {
      type: 'message_start',
      message: {
        id: 'x',
        type: 'message',
        role: 'assistant',
        model: 'm',
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: {},
      },
    };
    const stream = new Stream().snapshot().chunk(restart).start(0, text('')).text(0, 'One, two');
    stream.event('generation.reset', { generationId: 'g1', attempt: 2, reason: 'lost' }).chunk(restart);
    stream.start(0, text('')).text(0, 'One').text(0, ', two, three');
    expect(await stream.parts()).toEqual(['step-start', 'text streaming: One, two, three']);

    stream.event('generation.reset', { generationId: 'g1', attempt: 3, reason: 'lost' }).chunk(restart);
    stream.start(0, text('')).text(0, 'On second thought').text(0, ', no.').stop(0).whole();
    stream.end('completed', { stopReason: 'end_turn' }, [text('On second thought, no.')]);
    expect(await stream.parts()).toEqual([
      'step-start',
      'text done: One, two, three',
      'data-reset',
      'step-start',
      'text done: On second thought, no.',
    ]);
  });

  test('that is written anew and stopped then has what there is of it alone', async () => {
    const stream = new Stream().snapshot().start(0, text('')).text(0, '{"a":').stop(0).whole();
    stream.event('generation.reset', { generationId: 'g1', attempt: 1, reason: 'repair' });
    stream.end('cancelled', { stopReason: 'cancelled' }, [text('[')]);
    expect(await stream.parts()).toEqual([
      'step-start',
      'text done: {"a":',
      'data-reset',
      'step-start',
      'text done: [',
    ]);
  });

  test('ends with what is stored, where the log has not told all of it', async () => {
    const stream = new Stream().snapshot().start(0, text('')).text(0, 'All');
    stream.end('cancelled', { stopReason: 'cancelled' }, [text('All is well')]);
    expect(await stream.parts()).toEqual(['step-start', 'text done: All is well']);

    const call1 = new Stream({ tools: [clientTool] })
      .snapshot()
      .start(0, call('t1', 'open_door', {}))
      .json(0, '{"a": ');
    call1.end('cancelled', {}, [call('t1', 'open_door', { a: 1 })]);
    expect((await call1.message()).parts.at(-1)).toMatchObject({ state: 'input-available', input: { a: 1 } });
    expect(call1.types).not.toContain('data-reset');
  });
});
