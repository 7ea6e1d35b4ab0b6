import { describe, expect, test } from 'vitest';
import { structuredObjects } from '../../../src/client/structured-objects.js';

const nothing = { objects: [] };
const whole = (value: unknown) => ({ value, complete: true });

describe('the objects of an answer', () => {
  test('are those that were seen, also while the last one grows', () => {
    const objects = [whole({ a: 1 }), { value: { a: 2 }, complete: false }];
    expect(structuredObjects({ objects }, '{"a":1}\n{"a":2')).toEqual(objects);
  });

  test('are read from the text by who came when the first ones were over', () => {
    const objects = [];
    objects[1] = whole({ a: 2 });
    expect(structuredObjects({ objects }, '{"a":1}\n{"a":2')).toBeNull();
    expect(structuredObjects({ objects }, '{"a":1}\n{"a":2}')).toEqual([whole({ a: 1 }), whole({ a: 2 })]);
  });

  test.each([
    ['one object', '{"a": {"b": [1, "}"]}}', [{ a: { b: [1, '}'] } }]],
    ['an array', ' [1, 2]\n', [[1, 2]]],
    ['object after object', '{"a":"\\""}\n\n{"b":2}, {"c":3}', [{ a: '"' }, { b: 2 }, { c: 3 }]],
  ])('are read from a text that is %s', (_what, text, values) => {
    expect(structuredObjects(nothing, text)).toEqual(values.map(whole));
  });

  test.each([
    ['prose', 'It sits in the buffers.'],
    ['a link in brackets', '[the notes] are here'],
    ['prose behind an object', '{"a":1} as you see'],
    ['half an object', '{"a":1'],
    ['a number', '42'],
    ['nothing', ''],
  ])('are none in %s', (_what, text) => {
    expect(structuredObjects(nothing, text)).toBeNull();
  });
});
