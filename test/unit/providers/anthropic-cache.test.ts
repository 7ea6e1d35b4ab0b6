import { describe, expect, test } from 'vitest';
import type { ContentBlock } from '../../../src/domain/content.js';
import { anthropicRequest } from '../../../src/providers/anthropic-request.js';
import type { ModelMessage, ProviderRequest } from '../../../src/providers/provider.js';

const text = (length: number): ContentBlock => ({ type: 'text', text: 'x'.repeat(length) });
const user = (...content: ContentBlock[]): ModelMessage => ({ role: 'user', content });
const assistant = (...content: ContentBlock[]): ModelMessage => ({ role: 'assistant', content });
const tool = (length: number) => ({
  name: 'look',
  description: 'x'.repeat(length),
  inputSchema: { type: 'object' },
});

/** Of Claude Sonnet, which caches 1024 tokens and more: about 4100 characters. */
const base: ProviderRequest = {
  model: 'claude-sonnet-5-5',
  system: null,
  messages: [user(text(5)), assistant(text(5)), user(text(5))],
  maxTokens: 100,
  repeats: true,
};

const paramsOf = (changes: Partial<ProviderRequest>) => anthropicRequest({ ...base, ...changes }).params;

/** Where the markers are. */
function markersOf(changes: Partial<ProviderRequest>): string[] {
  const {
    tools = [],
    system,
    messages,
  } = paramsOf(changes) as {
    tools?: object[];
    system?: string | object[];
    messages: { content: object[] }[];
  };
  const marked = (name: string, blocks: readonly object[]) =>
    blocks.flatMap((block, at) => ('cache_control' in block ? [`${name} ${at}`] : []));
  return [
    ...marked('tool', tools),
    ...marked('system', Array.isArray(system) ? system : []),
    ...messages.flatMap(({ content }, at) => marked(`message ${at}, block`, content)),
  ];
}

describe('what the next call is going to begin with', () => {
  test('is not marked where it is too short to be cached', () => {
    expect(markersOf({ system: 'Be brief.', tools: [tool(10)] })).toEqual([]);
    expect(paramsOf({ system: 'Be brief.' })).toEqual(paramsOf({ system: 'Be brief.', repeats: false }));
  });

  test('is marked at the last tool, the system prompt, and the last two turns of the user: four at most', () => {
    const messages = [
      user(text(5000)),
      assistant(text(10)),
      user(text(10), text(10)),
      assistant(text(10)),
      user(text(10)),
    ];
    const changes = { system: 'x'.repeat(5000), tools: [tool(10), tool(5000)], messages };
    expect(markersOf(changes)).toEqual(['tool 1', 'system 0', 'message 2, block 1', 'message 4, block 0']);
    expect(paramsOf(changes).system).toEqual([
      { type: 'text', text: 'x'.repeat(5000), cache_control: { type: 'ephemeral' } },
    ]);
  });

  test('counts with all that stands before it', () => {
    const messages = [user(text(2000)), assistant(text(1500)), user(text(1500))];
    expect(markersOf({ messages })).toEqual(['message 2, block 0']);
    expect(markersOf({ system: 'x'.repeat(2500), tools: [tool(2500)] })).toEqual([
      'system 0',
      'message 0, block 0',
      'message 2, block 0',
    ]);
  });

  test('is marked at the results of tools, which are turns of the user', () => {
    const call: ContentBlock = { type: 'tool_use', id: 'toolu_1', name: 'look', input: {} };
    const result: ContentBlock = { type: 'tool_result', tool_use_id: 'toolu_1', content: 'x'.repeat(5000) };
    const messages = [user(text(5000)), assistant(call, result)];
    expect(markersOf({ messages, tools: [tool(5)] })).toEqual(['message 0, block 0', 'message 2, block 0']);
  });

  test('is not marked at a first question, nor at a prefill', () => {
    expect(markersOf({ messages: [user(text(50_000))] })).toEqual([]);
    expect(markersOf({ messages: [user(text(50_000)), assistant(text(5000))] })).toEqual([
      'message 0, block 0',
    ]);
  });

  test('is not marked where there is none', () => {
    expect(markersOf({ system: 'x'.repeat(50_000), repeats: false })).toEqual([]);
  });
});

test.each([
  ['claude-opus-5-5', 512],
  ['claude-fable-5-1', 512],
  ['claude-sonnet-5-5', 1024],
  ['claude-sonnet-4-6', 1024],
  ['claude-sonnet-4-5-20250929', 1024],
  ['claude-opus-4-1', 1024],
  ['claude-opus-4-20250514', 1024],
  ['claude-opus-4-7', 2048],
  ['claude-opus-4-5', 4096],
  ['claude-opus-4-6', 4096],
  ['claude-haiku-4-5', 4096],
  ['claude-of-tomorrow', 4096],
])('%s caches from %i tokens on', (model, least) => {
  const markersFor = (tokens: number) => markersOf({ model, system: 'x'.repeat(tokens * 4) });
  expect(markersFor(least - 10)).not.toContain('system 0');
  expect(markersFor(least)).toContain('system 0');
});
