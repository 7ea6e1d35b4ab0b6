import { describe, expect, test } from 'vitest';
import type { ContentBlock, ToolResultBlock } from '../../../src/domain/content.js';
import { anthropicRequest } from '../../../src/providers/anthropic-request.js';
import { chatTurns } from '../../../src/providers/chat-turns.js';
import { historyTurns } from '../../../src/providers/history.js';
import type { ModelMessage } from '../../../src/providers/provider.js';

const text = (value: string) => ({ type: 'text' as const, text: value });
const call = (id: string, name = 'add'): ContentBlock => ({ type: 'tool_use', id, name, input: {} });
const result = (id: string, content: string): ToolResultBlock => ({
  type: 'tool_result',
  tool_use_id: id,
  content,
});
const user = (...content: ContentBlock[]): ModelMessage => ({ role: 'user', content });
const answer = (...content: ContentBlock[]): ModelMessage => ({ role: 'assistant', content });

/** What the two kinds of APIs get. */
const anthropicTurns = (messages: ModelMessage[]) =>
  anthropicRequest({ model: 'claude-test', system: null, messages, maxTokens: 10 }).params.messages;
const chat = (messages: ModelMessage[]) =>
  chatTurns({ model: 'gpt-test', system: null, messages, maxTokens: 10 });

describe('a history', () => {
  test('has the results of each round directly behind it, in the order of its calls', () => {
    const messages = [
      user(text('Hi')),
      answer(
        text('A'),
        call('1'),
        call('2'),
        result('2', 'two'),
        result('1', 'one'),
        text('B'),
        call('3'),
        result('3', 'three'),
        text('C'),
      ),
    ];
    expect(historyTurns(messages)).toEqual([
      user(text('Hi')),
      { ...answer(text('A'), call('1'), call('2')), results: [result('1', 'one'), result('2', 'two')] },
      { ...answer(text('B'), call('3')), results: [result('3', 'three')] },
      { ...answer(text('C')), results: [] },
    ]);
  });

  test('has what a client answers in the turn that follows the call, whatever was said in between', () => {
    const messages = [
      user(text('Hi')),
      answer(call('mine'), call('theirs'), result('mine', 'one')),
      user(text('a remark'), result('theirs', 'two')),
    ];
    expect(anthropicTurns(messages)).toEqual([
      user(text('Hi')),
      answer(call('mine'), call('theirs')),
      user(result('mine', 'one'), result('theirs', 'two'), text('a remark')),
    ]);
    expect(chat(messages)).toMatchObject([
      { role: 'user', text: 'Hi' },
      { role: 'assistant', calls: [{ id: 'mine' }, { id: 'theirs' }] },
      { role: 'tool', callId: 'mine', text: 'one' },
      { role: 'tool', callId: 'theirs', text: 'two' },
      { role: 'user', text: 'a remark' },
    ]);
  });

  test('has a late result with its call, even behind another answer', () => {
    const messages = [
      user(text('Hi')),
      answer(call('1')),
      user(text('And?')),
      answer(text('Wait')),
      user(result('1', 'one')),
    ];
    expect(anthropicTurns(messages)).toEqual([
      user(text('Hi')),
      answer(call('1')),
      user(result('1', 'one'), text('And?')),
      answer(text('Wait')),
    ]);
  });

  test('tells calls apart whose ids come again', () => {
    const messages = [
      answer(call('x'), result('x', 'first'), call('x'), result('x', 'second')),
      user(text('Again')),
      answer(call('x')),
      user(result('x', 'third')),
    ];
    expect(historyTurns(messages).map((turn) => 'results' in turn && turn.results)).toEqual([
      [result('x', 'first')],
      [result('x', 'second')],
      false,
      [result('x', 'third')],
    ]);
  });

  test('leaves out what nobody answered, what answers nothing, and thoughts that led to nothing else', () => {
    const thought: ContentBlock = { type: 'thinking', thinking: 'Hm', signature: 'signed' };
    const messages = [
      user(text('Hi'), result('unknown', 'x')),
      answer(thought, call('1')),
      user(text('Never mind')),
      answer(thought, text('Fine'), call('2')),
    ];
    expect(historyTurns(messages)).toEqual([
      user(text('Hi')),
      user(text('Never mind')),
      { ...answer(thought, text('Fine')), results: [] },
    ]);
  });

  test('does not take a result for one of a later call', () => {
    const messages = [user(result('1', 'early')), answer(call('1')), user(text('Hi'))];
    expect(historyTurns(messages)).toEqual([user(text('Hi'))]);
  });
});
