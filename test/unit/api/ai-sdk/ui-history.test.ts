import { describe, expect, test } from 'vitest';
import { uiHistory } from '../../../../src/api/ai-sdk/ui-history.js';
import type { ContentBlock } from '../../../../src/domain/content.js';
import type { Message } from '../../../../src/domain/conversation.js';

const message = (
  id: string,
  role: Message['role'],
  content: ContentBlock[],
  more: Partial<Message> = {},
): Message => ({
  id,
  conversationId: 'c',
  role,
  author: null,
  text: '',
  content,
  status: 'complete',
  generationId: null,
  clientId: null,
  metadata: null,
  position: 0,
  createdAt: '',
  ...more,
});

const text = (value: string): ContentBlock => ({ type: 'text', text: value });
const call = (id: string): ContentBlock => ({ type: 'tool_use', id, name: 'open', input: {} });
const result = (id: string, content: string): ContentBlock => ({
  type: 'tool_result',
  tool_use_id: id,
  content,
});

const history = (...messages: Message[]) => uiHistory(messages, new Map());

describe('stored messages', () => {
  test('have the ids of their client, else ours; what is being written is left out', () => {
    expect(
      history(
        message('1', 'user', [text('Hi')], { clientId: 'mine', metadata: { a: 1 } }),
        message('2', 'assistant', [text('Ho')]),
        message('3', 'user', [text('And?')]),
        message('4', 'assistant', [], { status: 'streaming' }),
      ),
    ).toEqual([
      { id: 'mine', role: 'user', parts: [{ type: 'text', text: 'Hi' }], metadata: { a: 1 } },
      {
        id: '2',
        role: 'assistant',
        parts: [{ type: 'step-start' }, { type: 'text', text: 'Ho', state: 'done' }],
      },
      { id: '3', role: 'user', parts: [{ type: 'text', text: 'And?' }] },
    ]);
  });

  test('are one answer where it went on from results of the client alone', () => {
    const [, answer, ...rest] = history(
      message('1', 'user', [text('Open')]),
      message('2', 'assistant', [call('a'), result('a', '[1]'), call('b')]),
      message('3', 'user', [result('b', 'done')]),
      message('4', 'assistant', [text('Open.')]),
    );
    expect(rest).toEqual([]);
    expect(answer).toMatchObject({
      id: '2',
      parts: [
        { type: 'step-start' },
        { toolCallId: 'a', state: 'output-available', output: [1], providerExecuted: true },
        { type: 'step-start' },
        { toolCallId: 'b', state: 'output-available', output: 'done' },
        { type: 'step-start' },
        { type: 'text', text: 'Open.' },
      ],
    });
    expect(
      history(
        message('2', 'assistant', [call('b')]),
        message('3', 'user', [result('b', 'done'), text('Thanks')]),
        message('4', 'assistant', [text('Open.')]),
      ).map(({ id }) => id),
    ).toEqual(['2', '3', '4']);
  });

  test('wait for the client’s results where it was asked, and for none where the answer was stopped', () => {
    const [asked] = history(message('1', 'assistant', [call('a')]));
    expect(asked?.parts.at(-1)).toEqual({
      type: 'tool-open',
      toolCallId: 'a',
      input: {},
      state: 'input-available',
    });
    const [stopped] = history(message('1', 'assistant', [call('a')], { status: 'partial' }));
    expect(stopped?.parts.at(-1)).toMatchObject({ state: 'output-error', providerExecuted: true });
  });
});
