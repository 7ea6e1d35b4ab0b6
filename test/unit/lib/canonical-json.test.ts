import { expect, test } from 'vitest';
import { canonicalJson } from '../../../src/lib/canonical-json.js';

test('equal values have equal canonical JSON, others not', () => {
  const a = { b: [1, { d: 'ü', c: null }], a: undefined, 2: true };
  expect(canonicalJson(a)).toBe('{"2":true,"b":[1,{"c":null,"d":"ü"}]}');
  expect(canonicalJson({ 2: true, b: [1, { c: null, d: 'ü' }] })).toBe(canonicalJson(a));
  expect(canonicalJson({ a: '1' })).not.toBe(canonicalJson({ a: 1 }));
  expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
});
