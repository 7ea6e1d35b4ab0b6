import { describe, expect, test } from 'vitest';
import type { ContentBlock } from '../../../src/domain/content.js';
import { mistralRequest } from '../../../src/providers/mistral-request.js';
import { openaiRequest } from '../../../src/providers/openai-request.js';
import type { ProviderRequest } from '../../../src/providers/provider.js';

const text = (value: string): ContentBlock => ({ type: 'text', text: value });
const user = (...content: ContentBlock[]) => ({ role: 'user' as const, content });
const assistant = (...content: ContentBlock[]) => ({ role: 'assistant' as const, content });
const use = (id: string): ContentBlock => ({ type: 'tool_use', id, name: 'add', input: { a: 1 } });
const result = (id: string, content: string, failed = false): ContentBlock => ({
  type: 'tool_result',
  tool_use_id: id,
  content,
  ...(failed && { is_error: true }),
});

const base: ProviderRequest = {
  model: 'gpt-4.1',
  system: null,
  messages: [user(text('Hello?'))],
  maxTokens: 100,
};
const openai = (changes: Partial<ProviderRequest>, official = true) =>
  openaiRequest({ ...base, ...changes }, official);
const mistral = (changes: Partial<ProviderRequest>) =>
  mistralRequest({ ...base, model: 'mistral-small-latest', ...changes }).params;

const tools = [{ name: 'add', description: 'Adds.', inputSchema: { type: 'object' } }];
const openSchema = { type: 'object', properties: { a: { type: 'string', minLength: 2 } } };
const closedSchema = {
  type: 'object',
  properties: { list: { type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'null' }] } } },
  required: ['list'],
  additionalProperties: false,
};

describe('a request for OpenAI', () => {
  test('has only what was asked for', () => {
    expect(openai({})).toEqual({
      model: 'gpt-4.1',
      messages: [{ role: 'user', content: 'Hello?' }],
      max_completion_tokens: 100,
    });
  });

  test('carries all options', () => {
    const options = { system: 'Be brief.', temperature: 0, topP: 0.5, stopSequences: ['END'], tools };
    expect(openai(options)).toMatchObject({
      messages: [{ role: 'system', content: 'Be brief.' }, { role: 'user' }],
      temperature: 0,
      top_p: 0.5,
      stop: ['END'],
      tools: [
        { type: 'function', function: { name: 'add', description: 'Adds.', parameters: { type: 'object' } } },
      ],
    });
  });

  test.each([
    ['openai:llama3.2', false, 'max_tokens', 'llama3.2'],
    ['gpt-oss:20b', false, 'max_tokens', 'gpt-oss:20b'],
    ['gpt-6.1-terra', false, 'max_completion_tokens', 'gpt-6.1-terra'],
    ['o4-mini', false, 'max_completion_tokens', 'o4-mini'],
    ['openai:gpt-4.1', true, 'max_completion_tokens', 'gpt-4.1'],
  ])('for %s (OpenAI itself: %s) limits the answer by %s', (model, official, field, name) => {
    const params = openai({ model }, official);
    expect(params).toMatchObject({ model: name, [field]: 100 });
    expect(Object.keys(params).filter((key) => key.startsWith('max_'))).toEqual([field]);
  });

  test.each([
    [{ type: 'adaptive' as const }, 'medium'],
    [{ type: 'enabled' as const, budgetTokens: 1024 }, 'low'],
    [{ type: 'enabled' as const, budgetTokens: 8192 }, 'medium'],
    [{ type: 'enabled' as const, budgetTokens: 32_000 }, 'high'],
  ])('asks to think %j as hard as %s', (thinking, effort) => {
    expect(openai({ thinking })).toMatchObject({ reasoning_effort: effort });
  });

  test('does not let models think that then could call no tools', () => {
    expect(openai({ model: 'gpt-6.1-terra', tools })).toMatchObject({ reasoning_effort: 'none' });
    expect(openai({ model: 'gpt-4.1', tools })).not.toHaveProperty('reasoning_effort');
    expect(openai({ model: 'gpt-6.1-terra' })).not.toHaveProperty('reasoning_effort');
  });

  test.each([
    [openSchema, false],
    [closedSchema, true],
    [{ ...closedSchema, required: [] }, false],
    [{ ...closedSchema, properties: { list: openSchema } }, false],
    [{ type: 'array', items: closedSchema }, false],
  ])('wants %j kept to the letter: %s', (outputSchema, strict) => {
    expect(openai({ outputSchema }).response_format).toEqual({
      type: 'json_schema',
      json_schema: { name: 'answer', schema: outputSchema, strict },
    });
  });

  test('puts each result right behind its call, in the order of the rounds', () => {
    const messages = [
      user(text('Add')),
      assistant(
        { type: 'thinking', thinking: 'Hm', signature: '' },
        text('Let me see.'),
        use('t1'),
        use('t2'),
        result('t1', 'one'),
        result('t2', 'no', true),
        use('t3'),
      ),
      user(result('t3', 'three'), text('Well?'), text('Say!')),
      assistant(text(' '), use('t4')),
    ];
    const call = (id: string) => ({ id, type: 'function', function: { name: 'add', arguments: '{"a":1}' } });
    expect(openai({ messages }).messages).toEqual([
      { role: 'user', content: 'Add' },
      { role: 'assistant', content: 'Let me see.', tool_calls: [call('t1'), call('t2')] },
      { role: 'tool', tool_call_id: 't1', content: 'one' },
      { role: 'tool', tool_call_id: 't2', content: 'Error: no' },
      { role: 'assistant', content: null, tool_calls: [call('t3')] },
      { role: 'tool', tool_call_id: 't3', content: 'three' },
      { role: 'user', content: 'Well?\n\nSay!' },
    ]);
  });
});

describe('a request for Mistral', () => {
  test('carries all options', () => {
    const options = { system: 'Be brief.', temperature: 0, topP: 0.5, stopSequences: ['END'], tools };
    expect(mistral({ ...options, outputSchema: closedSchema })).toMatchObject({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hello?' },
      ],
      maxTokens: 100,
      temperature: 0,
      topP: 0.5,
      stop: ['END'],
      tools: [{ function: { name: 'add', description: 'Adds.', parameters: { type: 'object' } } }],
      responseFormat: { type: 'json_schema', jsonSchema: { schemaDefinition: closedSchema, strict: true } },
    });
  });

  test('asks to think as the model can', () => {
    const thinking = { type: 'adaptive' as const };
    expect(mistral({ thinking })).toMatchObject({ reasoningEffort: 'high' });
    expect(mistral({ thinking, model: 'magistral-medium-latest' })).toMatchObject({
      promptMode: 'reasoning',
    });
  });

  test('marks a prefill, and does not think before it', () => {
    const messages = [...base.messages, assistant(text('Well, '))];
    const { params, prefill } = mistralRequest({ ...base, messages, thinking: { type: 'adaptive' } });
    expect(params.messages.at(-1)).toEqual({ role: 'assistant', content: 'Well, ', prefix: true });
    expect(params).not.toHaveProperty('reasoningEffort');
    expect(prefill).toBe('Well, ');
  });

  test('gives calls and results the same ids, of nine letters and digits', () => {
    const id = 'toolu_01AbCdEf';
    const { messages } = mistral({ messages: [user(text('Add')), assistant(use(id), result(id, '2'))] });
    const [, call, answer] = messages;
    const ids = [
      call?.role === 'assistant' && call.toolCalls?.[0]?.id,
      answer?.role === 'tool' && answer.toolCallId,
    ];
    expect(ids[0]).toMatch(/^[a-zA-Z0-9]{9}$/);
    expect(ids[1]).toBe(ids[0]);
  });

  test('answers a result before the user speaks again', () => {
    const messages = [
      user(text('Add')),
      assistant(use('AbCdEf123'), result('AbCdEf123', '2')),
      user(text('So?')),
    ];
    expect(mistral({ messages }).messages.map(({ role }) => role)).toEqual([
      'user',
      'assistant',
      'tool',
      'assistant',
      'user',
    ]);
  });

  test('sends its own thinking back with its signature, and that of others not at all', () => {
    const thought = (signature: string): ContentBlock => ({ type: 'thinking', thinking: 'Hm', signature });
    const messages = [
      ...base.messages,
      assistant(thought('mistral:signed'), thought('of-anthropic'), text('So.')),
      user(text('And?')),
    ];
    expect(mistral({ messages }).messages[1]).toEqual({
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }], signature: 'signed', closed: true },
        { type: 'text', text: 'So.' },
      ],
    });
  });
});
