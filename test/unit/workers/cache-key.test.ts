import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cacheKey, type CacheKeyParts } from '../../../workers/cache-key.js';

const parts: CacheKeyParts = {
  userId: 'ada',
  provider: 'anthropic',
  request: {
    model: 'claude-sonnet-4-5',
    system: 'Be brief.',
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'Hello' }] },
      { role: 'assistant', content: [{ type: 'text', text: 'Hi' }] },
      { role: 'user', content: [{ type: 'text', text: 'Go on' }] },
    ],
    maxTokens: 1000,
    temperature: 0.5,
    topP: 0.9,
    stopSequences: ['END', 'STOP'],
    thinking: { type: 'enabled', budgetTokens: 500 },
    tools: [{ name: 'open_door', description: 'Opens a door.', inputSchema: { type: 'object' } }],
    outputSchema: { type: 'object', properties: { a: { type: 'string' }, b: { type: 'number' } } },
  },
  options: { output: 'json', stopAtPercent: 50, tools: ['calculator'] },
};

/** The same value with the keys of all objects in another order. */
function shuffled(value: unknown, pick: (count: number) => number): unknown {
  if (Array.isArray(value)) return value.map((item) => shuffled(item, pick));
  if (typeof value !== 'object' || value === null) return value;
  const entries: [string, unknown][] = Object.entries(value);
  const mixed: typeof entries = [];
  while (entries.length > 0) mixed.push(...entries.splice(pick(entries.length), 1));
  return Object.fromEntries(mixed.map(([name, inner]) => [name, shuffled(inner, pick)]));
}

/** Every place in a value where something stands that is no object and no array. */
function leaves(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, [...path, name]));
}

function changedAt(value: unknown, [name, ...path]: (string | number)[]): unknown {
  if (name === undefined) return typeof value === 'number' ? value + 1 : `${String(value)} changed`;
  if (Array.isArray(value)) return value.with(Number(name), changedAt(value[Number(name)], path));
  const object = value as Record<string, unknown>;
  return { ...object, [name]: changedAt(object[name], path) };
}

const withRequest = (request: Partial<CacheKeyParts['request']>): CacheKeyParts => ({
  ...parts,
  request: { ...parts.request, ...request },
});

describe('the key of a request', () => {
  test('is the same whatever order keys stand in, and where what is not set is undefined', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat()), (numbers) => {
        const pick = (count: number) => Number(numbers.next().value) % count;
        expect(cacheKey(shuffled(parts, pick) as CacheKeyParts)).toBe(cacheKey(parts));
      }),
    );
    const request = { ...parts.request };
    delete request.temperature;
    expect(cacheKey(withRequest({ temperature: undefined }))).toBe(cacheKey({ ...parts, request }));
  });

  test('is another one when anything in it changes', () => {
    const keys = leaves(parts).map((path) => cacheKey(changedAt(parts, path) as CacheKeyParts));
    expect(keys.length).toBeGreaterThan(25);
    expect(new Set([...keys, cacheKey(parts)]).size).toBe(keys.length + 1);
  });

  test('is another one when anything is left out of it', () => {
    for (const name of Object.keys(parts.request))
      expect(cacheKey(withRequest({ [name]: undefined })), name).not.toBe(cacheKey(parts));
    for (const name of Object.keys(parts.options))
      expect(cacheKey({ ...parts, options: { ...parts.options, [name]: undefined } }), name).not.toBe(
        cacheKey(parts),
      );
    expect(cacheKey({ ...parts, userId: null })).not.toBe(cacheKey(parts));
  });

  test('depends on the order of messages, tools and stop sequences', () => {
    const { messages, stopSequences = [] } = parts.request;
    expect(cacheKey(withRequest({ messages: messages.toReversed() }))).not.toBe(cacheKey(parts));
    expect(cacheKey(withRequest({ stopSequences: stopSequences.toReversed() }))).not.toBe(cacheKey(parts));
  });

  test('tells tools that run here from those of the client', () => {
    const tool = { name: 'calculator', description: 'Calculates.', inputSchema: { type: 'object' } };
    const { request } = withRequest({ tools: [tool] });
    const here = cacheKey({ ...parts, request, options: { tools: ['calculator'] } });
    expect(cacheKey({ ...parts, request, options: { tools: [tool] } })).not.toBe(here);
  });

  test('does not depend on how the answer is delivered', () => {
    const delivered = {
      ...parts.options,
      flush: { by: 'sentence' },
      render: 'html',
      timeoutMs: 5,
      priority: 1,
    };
    expect(cacheKey({ ...parts, options: delivered })).toBe(cacheKey(parts));
  });

  test('tells nothing of the request', () => {
    expect(cacheKey(parts)).toMatch(/^[\w-]{43}$/);
  });
});
