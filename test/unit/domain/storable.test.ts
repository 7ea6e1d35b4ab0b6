import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ContentAccumulator } from '../../../src/domain/content-accumulator.js';
import { parseStorable, storable } from '../../../src/domain/storable.js';
import { anyText } from '../../support/arbitraries.js';
import { blockStart } from '../client/sample.js';

const cannotBeStored = /\\u0000|\\ud[89a-f][0-9a-f]{2}/i;

describe('JSON that somebody else wrote', () => {
  test('is read as it is, but for what Postgres cannot hold', () => {
    const anyValue = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(anyValue, fc.dictionary(anyText, anyText), (value, texts) => {
        expect(JSON.stringify(parseStorable(JSON.stringify({ texts })))).not.toMatch(cannotBeStored);
        const json = JSON.stringify(value);
        if (!cannotBeStored.test(json)) expect(parseStorable(json)).toEqual(JSON.parse(json));
      }),
    );
    expect(parseStorable('{"a\\u0000":["\\ud83d","\\ud83d\\ude00"]}')).toEqual({
      'a\uFFFD': ['\uFFFD', '😀'],
    });
    expect(storable('a\0b')).toBe('a\uFFFDb');
  });

  test('is refused where it is nested so deeply that nobody could walk it', () => {
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
    expect(() => parseStorable(nested(100_000))).toThrow(RangeError);
    expect(() => parseStorable(nested(100))).not.toThrow();
  });

  test('stays as it was written where it is the input of a call that is no JSON', () => {
    for (const json of ['{"a":', '['.repeat(5000) + ']'.repeat(5000)]) {
      const accumulator = new ContentAccumulator();
      accumulator.apply(blockStart(0, { type: 'tool_use', id: 't', name: 'n', input: {} }));
      accumulator.apply({
        type: 'content_block_delta',
        index: 0,
        delta: { type: 'input_json_delta', partial_json: json },
      });
      accumulator.apply({ type: 'content_block_stop', index: 0 });
      expect(accumulator.content).toEqual([
        { type: 'tool_use', id: 't', name: 'n', input: {}, partial_json: json },
      ]);
    }
  });
});
