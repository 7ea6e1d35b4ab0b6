import { describe, expect, test } from 'vitest';
import type { ContentBlock } from '../../../src/domain/content.js';
import { anthropicRequest } from '../../../src/providers/anthropic-request.js';
import type { ProviderRequest } from '../../../src/providers/provider.js';

const text = (value: string): ContentBlock => ({ type: 'text', text: value });

const base: ProviderRequest = {
  model: 'claude-test',
  system: null,
  messages: [{ role: 'user', content: [text('Hello?')] }],
  maxTokens: 100,
};

const paramsOf = (changes: Partial<ProviderRequest>) => anthropicRequest({ ...base, ...changes }).params;

describe('a request for the Messages API', () => {
  test('has only what was asked for', () => {
    expect(paramsOf({})).toEqual({
      model: 'claude-test',
      max_tokens: 100,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello?' }] }],
    });
  });

  test('carries all options under the names of the API', () => {
    const options = { system: 'Be brief.', temperature: 0, topP: 0.5, stopSequences: ['END'] };
    expect(paramsOf(options)).toMatchObject({
      system: 'Be brief.',
      temperature: 0,
      top_p: 0.5,
      stop_sequences: ['END'],
    });
  });

  test.each([
    [{ type: 'adaptive' as const }, { type: 'adaptive' }],
    [
      { type: 'enabled' as const, budgetTokens: 2048, display: 'omitted' as const },
      { type: 'enabled', budget_tokens: 2048, display: 'omitted' },
    ],
  ])('asks to think: %j', (thinking, expected) => {
    expect(paramsOf({ thinking }).thinking).toEqual(expected);
  });

  test('does not ask to think where the answer goes on from a prefill', () => {
    const messages = [...base.messages, { role: 'assistant' as const, content: [text('Well,')] }];
    expect(paramsOf({ messages, thinking: { type: 'adaptive' } })).not.toHaveProperty('thinking');
  });

  test('names its tools, and the schema of its answer as far as the API can enforce it', () => {
    const inputSchema = { type: 'object', properties: { a: { type: 'number' } } };
    const tools = [{ name: 'add', description: 'Adds.', inputSchema }];
    const outputSchema = { type: 'object', properties: { a: { type: 'string', minLength: 2 } } };
    expect(paramsOf({ tools, outputSchema })).toMatchObject({
      tools: [{ name: 'add', description: 'Adds.', input_schema: inputSchema }],
      output_config: {
        format: {
          type: 'json_schema',
          schema: {
            type: 'object',
            properties: { a: { type: 'string', description: '{minLength: 2}' } },
            additionalProperties: false,
          },
        },
      },
    });
    const messages = [...base.messages, { role: 'assistant' as const, content: [text('{"a"')] }];
    expect(paramsOf({ messages, outputSchema })).not.toHaveProperty('output_config');
  });

  test('names the tools of earlier calls where it has none, not to be called again', () => {
    const messages: ProviderRequest['messages'] = [
      ...base.messages,
      {
        role: 'assistant',
        content: [
          { type: 'tool_use', id: 't1', name: 'add', input: {} },
          { type: 'tool_result', tool_use_id: 't1', content: '2' },
        ],
      },
    ];
    expect(paramsOf({ messages })).toMatchObject({
      tools: [{ name: 'add', input_schema: { type: 'object' } }],
      tool_choice: { type: 'none' },
    });
  });

  test('leaves out the thinking of another provider', () => {
    const thought: ContentBlock = { type: 'thinking', thinking: 'Hm', signature: 'mistral:signed' };
    const messages = [...base.messages, { role: 'assistant' as const, content: [thought, text('So.')] }];
    expect(paramsOf({ messages }).messages.at(-1)?.content).toEqual([text('So.')]);
  });

  test('merges neighbours of one role, and leaves out blank text and messages without content', () => {
    const messages: ProviderRequest['messages'] = [
      { role: 'user', content: [text('One')] },
      { role: 'user', content: [text(' \n'), text('Two')] },
      { role: 'assistant', content: [text('')] },
      { role: 'user', content: [text('Three')] },
    ];
    expect(paramsOf({ messages }).messages).toEqual([
      { role: 'user', content: [text('One'), text('Two'), text('Three')] },
    ]);
  });

  test('puts tool results into the turn of the user', () => {
    const call: ContentBlock = {
      type: 'tool_use',
      id: 't1',
      name: 'add',
      input: { a: 1 },
      partial_json: '{',
    };
    const result: ContentBlock = { type: 'tool_result', tool_use_id: 't1', content: '2' };
    const messages: ProviderRequest['messages'] = [
      ...base.messages,
      { role: 'assistant', content: [text('Let me see.'), call, result, text('It is 2.')] },
      { role: 'user', content: [text('Thanks')] },
    ];
    expect(paramsOf({ messages }).messages).toEqual([
      { role: 'user', content: [text('Hello?')] },
      {
        role: 'assistant',
        content: [text('Let me see.'), { type: 'tool_use', id: 't1', name: 'add', input: { a: 1 } }],
      },
      { role: 'user', content: [result] },
      { role: 'assistant', content: [text('It is 2.')] },
      { role: 'user', content: [text('Thanks')] },
    ]);
  });

  test('leaves out calls without a result, results without a call, and thinking without a signature', () => {
    const messages: ProviderRequest['messages'] = [
      ...base.messages,
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'Hm', signature: '' },
          { type: 'thinking', thinking: 'Hm', signature: 'signed' },
          { type: 'redacted_thinking', data: 'xyz' },
          text('Wait'),
          { type: 'tool_use', id: 't1', name: 'add', input: {} },
        ],
      },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't2', content: 'x' }, text('Go on')] },
    ];
    expect(paramsOf({ messages }).messages.slice(1)).toEqual([
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'Hm', signature: 'signed' },
          { type: 'redacted_thinking', data: 'xyz' },
          text('Wait'),
        ],
      },
      { role: 'user', content: [text('Go on')] },
    ]);
  });

  test('cuts the white space at the end of a prefill, tells it, and leaves the history as it was', () => {
    const prefill = text('One, two, \n');
    const messages = [...base.messages, { role: 'assistant' as const, content: [prefill] }];
    const { params, trailingSpace } = anthropicRequest({ ...base, messages });
    expect(params.messages.at(-1)).toEqual({ role: 'assistant', content: [text('One, two,')] });
    expect(trailingSpace).toBe(' \n');
    expect(prefill).toEqual(text('One, two, \n'));
  });
});
