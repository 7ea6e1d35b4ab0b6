import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonScanner } from '../../../workers/json-scanner.js';

const anyValue = fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' });
const space = fc.constantFrom('', ' ', '\n', '\r\n\t');

/** The same value with its strings escaped as far as they can be, and white space between its tokens. */
const escaped = (json: string) =>
  json.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
const anyJson = fc.tuple(anyValue, fc.constantFrom(0, 1, 2), fc.boolean()).map(([value, indent, escapes]) => {
  const json = JSON.stringify(value, null, indent);
  return escapes ? escaped(json) : json;
});

describe('values of JSON one after the other', () => {
  test('are found whole, wherever the text is cut', () => {
    const anyCut = fc.array(fc.nat(12));
    fc.assert(
      fc.property(fc.array(fc.tuple(anyJson, space)), anyCut, (values, cuts) => {
        // Numbers and words must not touch.
        const text = values.map(([json, gap]) => json + (gap || '\n')).join('');
        const scanner = new JsonScanner();
        const found: string[] = [];
        let at = 0;
        for (const size of [...cuts, text.length]) {
          found.push(...scanner.add(text.slice(at, at + size)));
          at += size;
        }
        found.push(...scanner.end());
        expect(found).toEqual(values.map(([json]) => json));
        expect(scanner).toMatchObject({ faulty: false, count: values.length, isWhole: values.length > 0 });
      }),
    );
  });

  test('can be cut in the middle, but not in an escape or between the halves of a pair', () => {
    fc.assert(
      fc.property(anyJson, (json) => {
        const scanner = new JsonScanner();
        for (const character of json) {
          scanner.add(character);
          const { partial } = scanner;
          expect(json.startsWith(partial)).toBe(true);
          expect(partial).not.toMatch(/(^|[^\\])(\\\\)*\\(u[0-9a-f]{0,3})?$/i);
          expect(partial).not.toMatch(/(^|[^\\])(\\\\)*\\ud[89ab][0-9a-f]{2}$/i);
        }
      }),
    );
  });

  test.each([
    ['Here it is: {"a":1}', 1],
    ['```json\n{"a":1}\n```', 1],
    ['{"a":1}, {"b":2}', 2],
    ['{"a":1} That is all.', 1],
    ['[1]]', 1],
  ])('are told from what is no JSON: %j', (text, count) => {
    const scanner = new JsonScanner();
    scanner.add(text);
    scanner.end();
    expect(scanner).toMatchObject({ faulty: true, isWhole: false, count });
  });

  test('are not followed too deep', () => {
    const scanner = new JsonScanner();
    scanner.add('['.repeat(100_000) + ']'.repeat(100_000));
    expect(scanner).toMatchObject({ faulty: true, isWhole: false });
  });

  test('that are not whole are none', () => {
    for (const text of ['', ' \n', '{"a":[', '"half']) {
      const scanner = new JsonScanner();
      expect(scanner.add(text)).toEqual([]);
      expect(scanner.end()).toEqual([]);
      expect(scanner.isWhole).toBe(false);
    }
  });
});
