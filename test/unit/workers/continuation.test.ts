import { describe, expect, test } from 'vitest';
import type { ContentBlock, StreamPart } from '../../../src/domain/content.js';
import type { ProviderRequest } from '../../../src/providers/provider.js';
import { continueFrom, keepable } from '../../../workers/continuation.js';
import { partsOf } from '../../../src/domain/parts-of.js';
import { StreamState } from '../../../workers/stream-state.js';

const text = (value: string): ContentBlock => ({ type: 'text', text: value });
const thought: ContentBlock = { type: 'thinking', thinking: 'Hm', signature: 'signed' };
const call = (id: string): ContentBlock => ({ type: 'tool_use', id, name: 'add', input: { a: 1 } });
const result = (id: string): ContentBlock => ({ type: 'tool_result', tool_use_id: id, content: '2' });

const stateOf = (...content: ContentBlock[]) => StreamState.of(partsOf(content, 'msg', 'claude-sonnet-4-5'));

describe('stored content', () => {
  test.each<[string, ContentBlock[]]>([
    ['text', [text('One')]],
    ['thinking and text', [thought, text('One')]],
    ['rounds', [thought, call('1'), call('2'), result('2'), result('1'), text('So'), call('3'), result('3')]],
    ['a call of the provider', [{ type: 'server_tool_use', id: 's', name: 'web_search', input: { q: 'x' } }]],
    [
      'its result',
      [{ type: 'web_search_tool_result', tool_use_id: 's', content: [{ url: 'x' }] }, text('Found')],
    ],
    ['half of a call', [{ type: 'tool_use', id: 'h', name: 'add', input: {}, partial_json: '{"a":' }]],
  ])('is the same after it was said again: %s', (_, content) => {
    const state = stateOf(...content);
    expect(state.content).toEqual(content);
    expect(state.rounds).toBe(
      content.filter((block, at) => block.type === 'tool_result' && content[at - 1]?.type !== 'tool_result')
        .length,
    );
  });
});

describe('of an answer that broke off is kept', () => {
  test.each<[string, ContentBlock[], number]>([
    ['text', [text('One')], 1],
    ['nothing of thinking', [thought], 0],
    ['nothing of a call', [call('1')], 0],
    ['nothing of blank text', [thought, text(' \n')], 0],
    ['the text before a call', [thought, text('One'), call('1')], 2],
    ['the text before a thought', [text('One'), thought], 1],
    ['a round that was answered', [call('1'), result('1')], 2],
    ['a round that was answered, without the thought behind it', [call('1'), result('1'), thought], 2],
    ['the text behind a round', [call('1'), result('1'), thought, text('So')], 4],
    ['blank text behind text', [text('One'), text('')], 2],
  ])('%s', (_, content, kept) => {
    expect(keepable(stateOf(...content))).toEqual(content.slice(0, kept));
  });
});

describe('a call goes on', () => {
  const request: ProviderRequest = {
    model: 'claude-sonnet-4-5',
    system: null,
    messages: [{ role: 'user', content: [text('Hi')] }],
    maxTokens: 10,
  };
  const addedTo = (state: StreamState, changes: Partial<ProviderRequest> = {}) => {
    const { request: next, whiteSpace } = continueFrom({ ...request, ...changes }, state);
    return { added: next.messages.slice(1), whiteSpace };
  };

  test('behind the results of tools', () => {
    expect(addedTo(stateOf(call('1'), result('1')))).toEqual({
      added: [{ role: 'assistant', content: [call('1'), result('1')] }],
      whiteSpace: undefined,
    });
  });

  test('in the text that was written behind the results of tools, by prefill', () => {
    expect(addedTo(stateOf(call('1'), result('1'), text('So it ')))).toEqual({
      added: [
        { role: 'assistant', content: [call('1'), result('1')] },
        { role: 'assistant', content: [text('So it ')] },
      ],
      whiteSpace: '',
    });
  });

  test('in the text, by asking, where the model takes no prefill or thinks', () => {
    for (const changes of [{ model: 'claude-sonnet-4-6' }, { thinking: { type: 'adaptive' as const } }]) {
      const { added, whiteSpace } = addedTo(stateOf(call('1'), result('1'), text('So it ')), changes);
      expect(whiteSpace).toBe(' ');
      expect(added.map(({ role }) => role)).toEqual(['assistant', 'assistant', 'user']);
      expect(added[1]?.content).toEqual([text('So it')]);
    }
  });

  test('where the provider has paused, with what it said so far', () => {
    const search: ContentBlock = { type: 'server_tool_use', id: 's', name: 'web_search', input: {} };
    const parts: StreamPart[] = [
      ...partsOf([search], 'msg', 'claude-sonnet-4-5'),
      { type: 'round_end', delta: { stop_reason: 'pause_turn', stop_sequence: null }, usage: {} },
    ];
    expect(addedTo(StreamState.of(parts))).toEqual({
      added: [{ role: 'assistant', content: [search] }],
      whiteSpace: undefined,
    });
  });

  test('with a second try, behind what was wrong with the first', () => {
    const parts: StreamPart[] = [
      { type: 'repair', answer: '{"a":', problem: 'It is no JSON.' },
      ...partsOf([text('{"a')], 'msg', 'claude-sonnet-4-5'),
    ];
    expect(addedTo(StreamState.of(parts)).added).toEqual([
      { role: 'assistant', content: [text('{"a":')] },
      { role: 'user', content: [text('It is no JSON.')] },
      { role: 'assistant', content: [text('{"a')] },
    ]);
  });
});
