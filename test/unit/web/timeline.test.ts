import { describe, expect, test } from 'vitest';
import { toEnded, withHead, type LiveGeneration } from '../../../src/client/live-generation.js';
import { fromSnapshot, type RoomState } from '../../../src/client/room-state.js';
import { timelineOf } from '../../../web/src/room/timeline.js';
import { ada, conversation, generation, message } from '../client/sample.js';

const noor = { id: 'noor', name: 'Noor' };
const empty = fromSnapshot({ conversation: conversation(), messages: [], generations: [], users: [] });
const roomOf = (parts: Partial<RoomState>): RoomState => ({ ...empty, ...parts });
const live = (...args: Parameters<typeof generation>): LiveGeneration =>
  withHead(undefined, generation(...args));
const ended = (...args: Parameters<typeof generation>) => toEnded(undefined, generation(...args));

const answer = (id: string, position: number, generationId: string | null = null) =>
  message(id, position, { role: 'assistant', author: null, generationId });

describe('the timeline of a room', () => {
  test('puts an answer that is being written behind its prompt', () => {
    const { items } = timelineOf(
      roomOf({
        messages: [
          message('p1', 0),
          answer('a1', 1),
          message('p2', 2),
          message('remark', 4, { author: noor }),
        ],
        generations: [live('g2', 'running', { promptId: 'p2', position: 3 })],
      }),
    );
    expect(items.map(({ id }) => id)).toEqual(['p1', 'a1', 'p2', 'answer-g2', 'remark']);
    expect(items[3]).toMatchObject({ kind: 'writing', to: ada });
  });

  test('takes the prompts of waiting answers out of the log and into the line', () => {
    const { items, waiting } = timelineOf(
      roomOf({
        messages: [message('p1', 0), message('p2', 2), message('p3', 4, { author: noor })],
        generations: [
          live('g1', 'running', { promptId: 'p1', position: 1 }),
          live('g2', 'waiting', { promptId: 'p2', position: 3 }),
          live('g3', 'waiting', { promptId: 'p3', position: 5 }),
        ],
      }),
    );
    expect(items.map(({ id }) => id)).toEqual(['p1', 'answer-g1']);
    expect(waiting.map(({ prompt }) => prompt?.id)).toEqual(['p2', 'p3']);
  });

  test('leaves a prompt that is to be answered anew in its place, with its old answer', () => {
    const { items, waiting } = timelineOf(
      roomOf({
        messages: [message('p1', 0), answer('a1', 1), message('p2', 2), answer('a2', 3)],
        generations: [live('again', 'waiting', { promptId: 'p1', position: 1 })],
      }),
    );
    expect(items.map(({ id }) => id)).toEqual(['p1', 'a1', 'p2', 'a2']);
    expect(waiting).toHaveLength(1);
    expect(items.map((item) => item.kind === 'message' && item.busy)).toEqual([false, true, false, false]);
  });

  test('says who was answered, by the end that was seen or else by the message before', () => {
    const state = roomOf({
      messages: [
        message('p1', 0),
        message('p2', 1, { author: noor }),
        answer('a1', 2, 'g1'),
        answer('a2', 3),
      ],
    });
    expect(timelineOf(state).items.slice(2)).toMatchObject([{ to: noor }, { to: noor }]);
    const seen = new Map([['g1', ended('g1', 'completed', { promptId: 'p1', messageId: 'a1' })]]);
    expect(timelineOf({ ...state, ended: seen }).items[2]).toMatchObject({ to: ada, ended: { id: 'g1' } });
  });

  test('keeps a place for an answer that failed before its first word, while its prompt stands', () => {
    const seen = new Map([['g', ended('g', 'failed', { promptId: 'p', position: 1 })]]);
    const state = roomOf({ messages: [message('p', 0)], ended: seen });
    expect(timelineOf(state).items.map(({ kind }) => kind)).toEqual(['message', 'unanswered']);
    expect(timelineOf({ ...state, messages: [] }).items).toEqual([]);
  });

  test('lets go of an answer without a word once its prompt is asked again, not of one that came later', () => {
    const failed = (id: string) => ended(id, 'failed', { promptId: 'p', position: 1 });
    const kinds = (room: Partial<RoomState>) => timelineOf(roomOf(room)).items.map(({ kind }) => kind);
    const prompt = message('p', 0);
    const g1 = new Map([['g1', failed('g1')]]);
    const again = live('g2', 'running', { promptId: 'p', position: 1 });
    expect(kinds({ messages: [prompt], ended: g1, generations: [again] })).toEqual(['message', 'writing']);
    expect(kinds({ messages: [prompt, answer('a', 1, 'g2')], ended: g1 })).toEqual(['message', 'message']);
    const both = new Map([...g1, ['g2', failed('g2')]]);
    expect(kinds({ messages: [prompt], ended: both })).toEqual(['message', 'unanswered']);
    // An old answer stands; that it could not be had anew is still to be seen.
    const old = answer('a', 1, 'g0');
    expect(kinds({ messages: [prompt, old], ended: g1 })).toEqual(['message', 'message', 'unanswered']);
  });

  test('shows a message that is written anew once, from the first new word on', () => {
    const again = live('g2', 'running', { messageId: 'a', promptId: 'p', position: 1 });
    const state = roomOf({ messages: [message('p', 0), answer('a', 1)], generations: [again] });
    const kinds = (room: RoomState) => timelineOf(room).items.map(({ kind }) => kind);
    expect(kinds(state)).toEqual(['message', 'message']);
    const begun = { ...again, content: [{ type: 'text' as const, text: 'Now' }] };
    expect(kinds({ ...state, generations: [begun] })).toEqual(['message', 'writing']);
  });
});
