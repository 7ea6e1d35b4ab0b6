import { describe, expect, test } from 'vitest';
import { blockKey } from '../../../src/client/live-generation.js';
import { fromSnapshot, reduceRoom, type RoomState } from '../../../src/client/room-state.js';
import type { Chunk, ContentBlock } from '../../../src/domain/content.js';
import { conversationRoom } from '../../../src/wire/room.js';
import type { RoomEventPayloads } from '../../../src/wire/room-events.js';
import { blockStart, conversation, conversationId, generation, message, messageStart } from './sample.js';

type Told = { [T in keyof RoomEventPayloads]: { type: T } & RoomEventPayloads[T] }[keyof RoomEventPayloads];

const room = conversationRoom(conversationId);
const running = generation('g', 'running', { promptId: 'p', position: 1 });

/** The room after these events of its one generation, each told at its second. */
function after(state: RoomState, ...told: [second: number, Told][]): RoomState {
  return told.reduce(
    (held, [second, one]) =>
      reduceRoom(held, {
        room,
        cursor: `${second * 1000}-0`,
        at: new Date(second * 1000).toISOString(),
        ...one,
      }),
    state,
  );
}

const begun = after(
  fromSnapshot({ conversation: conversation(), messages: [], generations: [], users: [] }),
  [0, { type: 'generation.started', generationId: 'g', generation: running }],
);
const chunk = (one: Chunk): Told => ({
  type: 'generation.chunk',
  generationId: 'g',
  messageId: 'answer-g',
  chunk: one,
});
const stop = (index: number): Told => chunk({ type: 'content_block_stop', index });
const thinking: ContentBlock = { type: 'thinking', thinking: '', signature: '' };
const call: ContentBlock = { type: 'tool_use', id: 'toolu_1', name: 'calculator', input: {} };
const result = (changes: Partial<RoomEventPayloads['generation.tool_result']> = {}): Told => ({
  type: 'generation.tool_result',
  generationId: 'g',
  toolUseId: 'toolu_1',
  name: 'calculator',
  output: '16.03',
  isError: false,
  ...changes,
});
const warn = (code: RoomEventPayloads['generation.warning']['code'], text: string): Told => ({
  type: 'generation.warning',
  generationId: 'g',
  code,
  message: text,
});
const object = (index: number, value: unknown, complete: boolean): Told => ({
  type: 'generation.object',
  generationId: 'g',
  index,
  value,
  complete,
});
const completed: Told = {
  type: 'generation.completed',
  generationId: 'g',
  generation: { ...running, status: 'completed' },
  message: message('answer-g', 1, { role: 'assistant' }),
};
const liveOf = ({ generations }: RoomState) => generations[0];

describe('what is seen of a generation while it lasts', () => {
  test('is how long it thought, from the start of the thinking to its end', () => {
    const state = after(
      begun,
      [1, chunk(messageStart)],
      [2, chunk(blockStart(0, thinking))],
      [8, stop(0)],
      [9, chunk(blockStart(1, thinking))],
      [11, stop(1)],
    );
    expect([...(liveOf(state)?.durationsMs ?? [])]).toEqual([
      ['thinking 0', 6000],
      ['thinking 1', 2000],
    ]);
  });

  test('is how long a tool took, from its whole call to its result, which stands behind it', () => {
    const called = after(
      begun,
      [1, chunk(messageStart)],
      [2, chunk(blockStart(0, call))],
      [5, stop(0)],
      [7, result()],
    );
    const live = liveOf(called);
    expect(live?.durationsMs.get('toolu_1')).toBe(2000);
    expect(live?.content.at(-1)).toEqual({
      type: 'tool_result',
      tool_use_id: 'toolu_1',
      content: '16.03',
    });
    // The model's next block has the number after the call's: the result between them has none.
    const onward = after(
      called,
      [8, chunk(blockStart(1, { type: 'text', text: '' }))],
      [9, chunk({ type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'So' } })],
    );
    expect(liveOf(onward)?.content.at(-1)).toEqual({ type: 'text', text: 'So' });
  });

  test('is how long a tool of the provider took, whose result is a block of the stream', () => {
    const search: ContentBlock = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} };
    const found: ContentBlock = { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] };
    const state = after(
      begun,
      [1, chunk(messageStart)],
      [2, chunk(blockStart(0, search))],
      [3, stop(0)],
      [5, chunk(blockStart(1, found))],
    );
    expect(liveOf(state)?.durationsMs.get('srvtoolu_1')).toBe(2000);
  });

  test('is that a tool failed', () => {
    const state = after(begun, [1, result({ output: 'Division by zero', isError: true })]);
    expect(liveOf(state)?.content).toEqual([
      { type: 'tool_result', tool_use_id: 'toolu_1', content: 'Division by zero', is_error: true },
    ]);
  });

  test('is the last warning of each kind', () => {
    const state = after(
      begun,
      [1, warn('retrying', 'Try 2 of 3 follows.')],
      [2, warn('history_cut', 'The oldest 14 turns were left out.')],
      [3, warn('retrying', 'Try 3 of 3 follows.')],
    );
    expect(liveOf(state)?.warnings.map(({ code, message: text }) => [code, text])).toEqual([
      ['history_cut', 'The oldest 14 turns were left out.'],
      ['retrying', 'Try 3 of 3 follows.'],
    ]);
  });

  test('is each object as far as it is written', () => {
    const state = after(
      begun,
      [1, object(0, { number: 1 }, false)],
      [2, object(0, { number: 12 }, true)],
      [3, object(1, {}, false)],
    );
    expect(liveOf(state)?.objects).toEqual([
      { value: { number: 12 }, complete: true },
      { value: {}, complete: false },
    ]);
  });

  test('is how far it is', () => {
    const progress = { estimatedPercent: 61, estimatedOutputTokens: 1240, stage: 'class PdfMerger' };
    const state = after(begun, [
      1,
      { type: 'generation.progress', generationId: 'g', metrics: running.metrics, ...progress },
    ]);
    expect(liveOf(state)?.progress).toEqual({ metrics: running.metrics, ...progress });
  });

  test('is kept by another attempt that goes on, and forgotten where one starts over, but for the warnings', () => {
    const seen = after(
      begun,
      [1, chunk(messageStart)],
      [2, chunk(blockStart(0, thinking))],
      [3, stop(0)],
      [4, object(0, {}, false)],
      [5, warn('retrying', 'Try 2 of 3 follows.')],
    );
    const second = after(seen, [
      6,
      { type: 'generation.started', generationId: 'g', generation: { ...running, attempt: 2 } },
    ]);
    expect(liveOf(second)).toMatchObject({ attempt: 2, objects: [{ complete: false }] });
    expect(liveOf(second)?.durationsMs.get('thinking 0')).toBe(1000);
    const reset = after(second, [
      7,
      { type: 'generation.reset', generationId: 'g', attempt: 2, reason: 'worker_lost' },
    ]);
    expect(liveOf(reset)).toMatchObject({ objects: [], warnings: [{ code: 'retrying' }] });
    expect(liveOf(reset)?.durationsMs.size).toBe(0);
  });

  test('stays with its end', () => {
    const state = after(
      begun,
      [1, chunk(messageStart)],
      [2, chunk(blockStart(0, thinking))],
      [8, stop(0)],
      [9, warn('history_cut', 'The oldest 14 turns were left out.')],
      [10, object(0, { number: 12 }, true)],
      [11, completed],
    );
    const end = state.ended.get('g');
    expect(end).toMatchObject({
      status: 'completed',
      warnings: [{ code: 'history_cut' }],
      objects: [{ complete: true }],
    });
    expect(end?.durationsMs.get('thinking 0')).toBe(6000);
  });
});

describe('the key of a block', () => {
  test('is the same for what was streamed and for what is stored', () => {
    const streamed: ContentBlock[] = [{ type: 'text', text: '' }, thinking, call, thinking];
    const stored: ContentBlock[] = [thinking, call, thinking];
    expect(streamed.map((_, index) => blockKey(streamed, index))).toEqual([
      null,
      'thinking 0',
      'toolu_1',
      'thinking 1',
    ]);
    expect(stored.map((_, index) => blockKey(stored, index))).toEqual([
      'thinking 0',
      'toolu_1',
      'thinking 1',
    ]);
  });
});
