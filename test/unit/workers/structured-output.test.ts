import fc from 'fast-check';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { StreamPart } from '../../../src/domain/content.js';
import { JsonSchemas } from '../../../src/lib/json-schemas.js';
import { ThreadPool } from '../../../src/lib/thread-pool.js';
import { StructuredOutput, type OutputObject } from '../../../workers/structured-output.js';

const threads = new ThreadPool();
const schemas = new JsonSchemas(threads);
afterAll(() => threads.close());
const { signal } = new AbortController();

type Told = OutputObject & { logged: boolean };

/** Structured output, and what it tells. Times go by with `vi.advanceTimersByTime`. */
const open = (schema?: Record<string, unknown>) => {
  const told: Told[] = [];
  const output = new StructuredOutput({
    schema,
    schemas,
    everyMs: 100,
    tell: (object, { logged }) => told.push({ ...object, logged }),
  });
  return { output, told };
};
const start: StreamPart = {
  type: 'content_block_start',
  index: 0,
  content_block: { type: 'text', text: '' },
};
const delta = (text: string): StreamPart => ({
  type: 'content_block_delta',
  index: 0,
  delta: { type: 'text_delta', text },
});
const lastOf = (told: Told[]) => told.at(-1);

/** Whether one value can become the other by writing on. */
function isBeginning(part: unknown, whole: unknown): boolean {
  if (typeof part === 'string') return typeof whole === 'string' && whole.startsWith(part);
  if (Array.isArray(part))
    return (
      Array.isArray(whole) &&
      part.length <= whole.length &&
      part.every((item, i) => isBeginning(item, whole[i]))
    );
  if (typeof part === 'object' && part !== null) {
    if (typeof whole !== 'object' || whole === null || Array.isArray(whole)) return false;
    return Object.entries(part).every(([key, value]) =>
      isBeginning(value, (whole as Record<string, unknown>)[key]),
    );
  }
  return part === whole;
}

describe('the value so far', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const anyString = fc.string({
    unit: fc.constantFrom('a', '"', '\\', '\n', '\u2028', 'é', '😀', '\ud83d', '{', ']'),
  });
  const anyValue = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      anyString,
      fc.double({ noDefaultInfinity: true, noNaN: true }),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(anyString, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    ),
  })).value;

  test('is a beginning of the whole one, wherever it is cut: nested arrays, escapes, pairs', () => {
    fc.assert(
      fc.property(fc.array(anyValue, { minLength: 1, maxLength: 3 }), fc.boolean(), (list, escapes) => {
        const value = JSON.parse(JSON.stringify({ list })) as unknown;
        let json = JSON.stringify(value, null, 1);
        if (escapes)
          json = json.replace(
            /[\u0080-\uffff]/g,
            (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
          );
        const { output, told } = open({});
        output.apply(start);
        for (const character of json) {
          output.apply(delta(character));
          vi.advanceTimersByTime(10_000);
        }
        for (const { value: part, complete } of told) {
          expect(complete).toBe(false);
          expect(isBeginning(part, value)).toBe(true);
          expect(JSON.stringify(part).isWellFormed()).toBe(true);
        }
        expect(lastOf(told)?.value).toEqual(value);
        output.close();
      }),
      { numRuns: 200 },
    );
  });

  test('is told at once, then at most ten times a second, and only where there is more', () => {
    const { output, told } = open({});
    output.apply(start);
    output.apply(delta('{"a": "x'));
    expect(told).toHaveLength(1);
    for (let i = 0; i < 50; i += 1) {
      output.apply(delta('y'));
      vi.advanceTimersByTime(10);
    }
    expect(told.length).toBeGreaterThanOrEqual(5);
    expect(told.length).toBeLessThanOrEqual(7);
    output.apply(delta('", "b": 1'));
    vi.advanceTimersByTime(100);
    const count = told.length;
    output.apply(delta('23'));
    vi.advanceTimersByTime(1000);
    expect(told).toHaveLength(count); // half of a number is none
    output.apply(delta('}'));
    vi.advanceTimersByTime(100);
    expect(lastOf(told)?.value).toEqual({ a: `x${'y'.repeat(50)}`, b: 123 });
    output.close();
  });

  test('is logged until the log has enough of it', () => {
    const { output, told } = open({});
    output.apply(start);
    output.apply(delta('["'));
    for (let i = 0; i < 100; i += 1) {
      output.apply(delta('x'.repeat(1000)));
      vi.advanceTimersByTime(10_000);
    }
    const logged = told.filter((each) => each.logged);
    expect(logged.length).toBeGreaterThan(5);
    expect(JSON.stringify(logged).length).toBeLessThan(75_000);
    expect(told).toHaveLength(101); // one for the beginning, one for each piece
    output.close();
  });
});

describe('at the end', () => {
  const schema = {
    type: 'object',
    properties: { items: { type: 'array', items: { type: 'integer' } } },
    required: ['items'],
  };

  test('the whole value is told once, where it matches', async () => {
    const { output, told } = open(schema);
    output.apply(start);
    output.apply(delta('{"items": [1, 2]}\n'));
    expect(await output.finish(signal)).toBeUndefined();
    expect(told.filter(({ complete }) => complete)).toEqual([
      { index: 0, value: { items: [1, 2] }, complete: true, logged: true },
    ]);
  });

  test.each([
    ['{"items": [1, "two"]}', '/items/1 must be integer'],
    ['{}', "the whole must have required property 'items'"],
    ['{"items": [1', 'it ends before its JSON does'],
    ['', 'it is empty'],
    ['Sure! {"items": []}', 'besides JSON'],
    ['{"items": []} {"items": []}', 'more than one value'],
    ['{"items": [1,]}', 'it is not JSON'],
  ])('it says what is wrong with %j', async (text, problem) => {
    const { output, told } = open(schema);
    output.apply(start);
    output.apply(delta(text));
    expect(await output.finish(signal)).toContain(problem);
    expect(told.filter(({ complete }) => complete)).toEqual([]);
  });

  test('a pattern that would never come to an end does not keep anybody', async () => {
    const { output } = open({ type: 'string', pattern: '^(a+)+$' });
    output.apply(start);
    output.apply(delta(`"${'a'.repeat(40)}!"`));
    expect(await output.finish(signal)).toContain('took longer');
  }, 30_000);
});

describe('without a schema', () => {
  test('value after value is told as it is whole', async () => {
    const { output, told } = open();
    output.apply(start);
    for (const text of ['{"a":', '1}{"b"', ':2}\n"c"', ' 3', '4']) output.apply(delta(text));
    expect(await output.finish(signal)).toBeUndefined();
    expect(told.filter(({ complete }) => complete).map(({ index, value }) => [index, value])).toEqual([
      [0, { a: 1 }],
      [1, { b: 2 }],
      [2, 'c'],
      [3, 34],
    ]);
  });

  test('what was told before a takeover is not told again, what was not is', async () => {
    const { output, told } = open();
    const parts: StreamPart[] = [start, delta('{"a":1}'), { type: 'object', index: 0 }, delta('{"b":2}{"c"')];
    output.resume(parts);
    output.apply(delta(':3}'));
    expect(await output.finish(signal)).toBeUndefined();
    expect(told.filter(({ complete }) => complete)).toMatchObject([
      { index: 1, value: { b: 2 } },
      { index: 2, value: { c: 3 } },
    ]);
  });

  test('values before and after tools are counted on, and only the last round is the answer', async () => {
    const { output, told } = open();
    output.apply(start);
    output.apply(delta('Let me see. {"a":1}'));
    output.apply({ type: 'round_end', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: {} });
    output.apply({ type: 'tool_result', tool_use_id: 't', content: '2' });
    output.apply({ ...start, index: 2 });
    output.apply(delta('{"b":2}'));
    expect(await output.finish(signal)).toBeUndefined();
    expect(told.filter(({ complete }) => complete)).toMatchObject([{ index: 1, value: { b: 2 } }]);
  });

  test('a stream that starts over tells its values anew', () => {
    const { output, told } = open();
    output.apply(start);
    output.apply(delta('{"a":1}'));
    output.restart();
    output.apply(start);
    output.apply(delta('{"a":2}'));
    expect(told.filter(({ complete }) => complete)).toMatchObject([
      { index: 0, value: { a: 1 } },
      { index: 0, value: { a: 2 } },
    ]);
    output.close();
  });

  test('text that is no JSON is said to be none', async () => {
    const { output, told } = open();
    output.apply(start);
    output.apply(delta('I would rather talk.'));
    expect(await output.finish(signal)).toContain('not JSON');
    expect(told).toEqual([]);
  });
});
