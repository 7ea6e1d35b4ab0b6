import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isSameInput, restOfInput } from '../../../../src/api/telling/call-input.js';

test('any beginning of an input is gone on with to its stored form, however it was spaced', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.constantFrom(0, 2),
      fc.nat(),
      (input, indent, at) => {
        const written = JSON.stringify(input, null, indent);
        const told = written.slice(0, at % (written.length + 1));
        const rest = restOfInput(told, JSON.stringify(input));
        expect(rest).toBeDefined();
        expect(JSON.parse(told + (rest ?? ''))).toEqual(JSON.parse(JSON.stringify(input)));
      },
    ),
  );
});

test.for([
  ['', '{}', '{}'],
  ['{}', '{}', ''],
  ['{ "a" : 1', '{"a":12}', '2}'],
  ['{"a":1 ', '{"a":12}', undefined],
  ['{"é', '{"é":1}', '":1}'],
  ['{"\\u00e9": 1}', '{"é":1}', ''],
  ['{"\\u00e9', '{"é":1}', undefined],
  ['{"b"', '{"a":1}', undefined],
] as const)('%s becomes %s by %s', ([told, whole, rest]) => {
  expect(restOfInput(told, whole)).toBe(rest);
});

test('inputs are the same by their values; no text is an empty one; what is no JSON is itself alone', () => {
  expect(isSameInput('', '{}')).toBe(true);
  expect(isSameInput('{"a":1,"b":2}', '{ "b": 2, "a": 1 }')).toBe(true);
  expect(isSameInput('{"a":1}', '{}')).toBe(false);
  expect(isSameInput('{"a', '{"a')).toBe(true);
  expect(isSameInput('{"a', '{"b')).toBe(false);
});
