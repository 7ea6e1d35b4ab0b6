import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyChunk } from '../../../src/client/apply-chunk.js';
import { ContentAccumulator } from '../../../src/domain/content-accumulator.js';
import type { Chunk, ContentBlock, ContentDelta } from '../../../src/domain/content.js';
import { blockStart, messageStart, textDelta } from './sample.js';

const block = fc.constantFrom<ContentBlock>(
  { type: 'text', text: '' },
  { type: 'thinking', thinking: '', signature: '' },
  { type: 'tool_use', id: 'tool', name: 'calculator', input: {} },
);
const part = fc.constantFrom('a', 'Grüße', '{"x":', '1}', '\n');
const delta: fc.Arbitrary<ContentDelta> = fc.oneof(
  part.map((text) => ({ type: 'text_delta' as const, text })),
  part.map((thinking) => ({ type: 'thinking_delta' as const, thinking })),
  part.map((signature) => ({ type: 'signature_delta' as const, signature })),
  part.map((partial_json) => ({ type: 'input_json_delta' as const, partial_json })),
  part.map((citation) => ({ type: 'citations_delta' as const, citation })),
);

/** What is drawn becomes a stream whose starts are numbered as a model numbers them; deltas may miss. */
const chunks = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: block.map((start) => ({ start })) },
      { weight: 8, arbitrary: fc.record({ index: fc.nat(4), delta }) },
      { weight: 2, arbitrary: fc.nat(4).map((stop) => ({ stop })) },
      { weight: 1, arbitrary: fc.constant({ begin: true as const }) },
    ),
    { maxLength: 60 },
  )
  .map((steps) => {
    let next = 0;
    return steps.map((step): Chunk => {
      if ('start' in step) return blockStart(next++, step.start);
      if ('stop' in step) return { type: 'content_block_stop', index: step.stop };
      if ('delta' in step) return { type: 'content_block_delta', index: step.index, delta: step.delta };
      next = 0;
      return messageStart;
    });
  });

describe('applying a chunk', () => {
  test('makes what the accumulator of the domain makes, whatever the stream', () => {
    fc.assert(
      fc.property(chunks, (stream) => {
        const accumulator = new ContentAccumulator();
        let content: readonly ContentBlock[] = [];
        for (const chunk of stream) {
          accumulator.apply(chunk);
          content = applyChunk(content, chunk);
        }
        expect(content).toEqual(accumulator.content);
      }),
    );
  });

  test('never changes what was there before', () => {
    fc.assert(
      fc.property(chunks, (stream) => {
        let content: readonly ContentBlock[] = [];
        for (const chunk of stream) {
          const copy = structuredClone(content);
          const next = applyChunk(content, chunk);
          expect(content).toEqual(copy);
          content = next;
        }
      }),
    );
  });

  test('keeps the blocks that it leaves alone, so that views need not draw them again', () => {
    const before: readonly ContentBlock[] = [
      { type: 'text', text: 'whole' },
      { type: 'text', text: 'half' },
    ];
    const after = applyChunk(before, textDelta(1, ' more'));
    expect(after[0]).toBe(before[0]);
    expect(after[1]).toEqual({ type: 'text', text: 'half more' });
  });

  test('does not count tool results, which have no index', () => {
    const before: readonly ContentBlock[] = [
      { type: 'tool_use', id: 't', name: 'calculator', input: {} },
      { type: 'tool_result', tool_use_id: 't', content: '4' },
      { type: 'text', text: 'It is ' },
    ];
    expect(applyChunk(before, textDelta(1, '4')).at(-1)).toEqual({ type: 'text', text: 'It is 4' });
  });
});
