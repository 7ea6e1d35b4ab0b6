import { expect, test } from 'vitest';
import { demoSample } from '../../../src/providers/demo-sample.js';

test.each([
  [{ const: 7 }, 7],
  [{ enum: ['red', 'green'] }, 'green'],
  [{ type: 'string', default: 'x' }, 'x'],
  [{ type: 'string', examples: ['y'] }, 'y'],
  [{ type: ['string', 'null'], maxLength: 3 }, 'A s'],
  [{ type: 'string', format: 'date' }, '2026-01-15'],
  [{ type: 'integer', minimum: 3 }, 3],
  [{ type: 'integer', exclusiveMinimum: 3 }, 4],
  [{ type: 'number', minimum: 1, multipleOf: 0.25 }, 1],
  [{ type: 'integer', maximum: -5 }, -5],
  [{ type: 'boolean' }, true],
  [{ type: 'null' }, null],
  [{ type: 'array', items: { type: 'boolean' }, minItems: 3 }, [true, true, true]],
  [{ type: 'array', items: { type: 'boolean' }, maxItems: 1 }, [true]],
  [{ anyOf: [{ type: 'boolean' }, { type: 'null' }] }, true],
  [{ allOf: [{ properties: { a: { const: 1 } } }, { properties: { b: { const: 2 } } }] }, { a: 1, b: 2 }],
  [{ $ref: '#/$defs/thing', $defs: { thing: { const: 'it' } } }, 'it'],
  [{ type: 'object', properties: { expression: { type: 'string' } } }, { expression: '12 * (3 + 4)' }],
])('%j', (schema, expected) => {
  expect(demoSample(schema, 'What is 12 * (3 + 4) in green?')).toEqual(expected);
});

test('a recursive schema ends', () => {
  const tree = {
    type: 'object',
    properties: { name: { type: 'string' }, children: { type: 'array', items: { $ref: '#' } } },
    required: ['name'],
  };
  expect(JSON.stringify(demoSample(tree, '')).length).toBeLessThan(10_000);
});
