import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Chunk, ContentBlock, ContentDelta } from '../../../src/domain/content.js';
import { BlockWriter } from '../../../src/providers/block-writer.js';
import { contentOf } from '../../support/upstream-chunks.js';

const text = (piece: string) =>
  ['text', { type: 'text', text: '' }, { type: 'text_delta', text: piece }] as const;
const call = (name: string, json: string) =>
  [
    name,
    { type: 'tool_use', id: name, name, input: {} },
    { type: 'input_json_delta', partial_json: json },
  ] as const;

function written(pieces: readonly (readonly [string, ContentBlock, ContentDelta])[]): Chunk[] {
  const writer = new BlockWriter();
  return [...pieces.flatMap((piece) => [...writer.write(...piece)]), ...writer.end()];
}

test('a call that is whole makes room for the next at once', () => {
  const writer = new BlockWriter();
  expect([...writer.write(...call('a', '{}'))]).toHaveLength(2);
  expect([...writer.write(...call('b', '{"x'))].map(({ type }) => type)).toEqual([
    'content_block_stop',
    'content_block_start',
    'content_block_delta',
  ]);
});

test('two calls that are written at once become one after the other', () => {
  const chunks = written([call('a', '{"x"'), call('b', '{"y"'), call('a', ':1}'), call('b', ':2}')]);
  expect(chunks.map((chunk) => ('index' in chunk ? chunk.index : null))).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
  expect(contentOf(chunks)).toMatchObject([{ input: { x: 1 } }, { input: { y: 2 } }]);
});

test('text after a call is a new block', () => {
  expect(contentOf(written([text('One'), call('a', '{}'), text('Two')]))).toMatchObject([
    { text: 'One' },
    { name: 'a' },
    { text: 'Two' },
  ]);
});

test('a call that never becomes JSON is kept as it is, and what came after it too', () => {
  expect(contentOf(written([call('a', '{"x"'), text('So.')]))).toMatchObject([
    { partial_json: '{"x"' },
    { text: 'So.' },
  ]);
});

test('a call that goes on after its end makes no sense', () => {
  expect(() => written([call('a', '{}'), call('b', '{}'), call('a', '{"x":1}')])).toThrow(TypeError);
  expect(() => written([call('a', '{}'), call('b', '{}'), call('a', '\n')])).not.toThrow();
});

test('however calls are mixed, each has all of its input, and no block begins within another', () => {
  const input = fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.constant({ deep: [1] })));
  const mixed = fc.record({
    inputs: fc.array(input, { minLength: 1, maxLength: 4 }),
    order: fc.infiniteStream(fc.nat()),
  });
  fc.assert(
    fc.property(mixed, ({ inputs, order }) => {
      const left = inputs.map((value, at) => ({ at, json: JSON.stringify(value) }));
      const pieces: ReturnType<typeof call>[] = [];
      for (const pick of order) {
        const open = left.filter(({ json }) => json);
        const chosen = open[pick % Math.max(1, open.length)];
        if (!chosen) break;
        pieces.push(call(String(chosen.at), chosen.json.slice(0, 1 + (pick % 7))));
        chosen.json = chosen.json.slice(1 + (pick % 7));
      }
      const chunks = written(pieces);
      let open = 0;
      for (const { type } of chunks) {
        if (type === 'content_block_start') open += 1;
        if (type === 'content_block_stop') open -= 1;
        expect(open).toBeLessThanOrEqual(1);
      }
      const got = contentOf(chunks).map((block) => block.type === 'tool_use' && [block.id, block.input]);
      expect(Object.fromEntries(got as [string, unknown][])).toEqual(
        Object.fromEntries(
          inputs.map((value, at) => [String(at), JSON.parse(JSON.stringify(value)) as unknown]),
        ),
      );
    }),
  );
});
