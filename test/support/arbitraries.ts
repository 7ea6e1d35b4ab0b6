import fc from 'fast-check';
import type { Chunk, ContentBlock, ContentDelta, StreamPart } from '../../src/domain/content.js';

/** Any string that JavaScript can hold: NUL, line ends, halves of surrogate pairs. */
export const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc
    .array(
      fc.constantFrom('\0', '\n', '\r\n', '\u2028', '"', '\\', '\ud83e', '\uddf5', '🧵', '\u007f', 't', '{'),
      {
        maxLength: 6,
      },
    )
    .map((parts) => parts.join('')),
);

const blocks: Record<
  'text' | 'thinking' | 'tool_use',
  { block: ContentBlock; delta: (text: string) => ContentDelta }
> = {
  text: { block: { type: 'text', text: '' }, delta: (text) => ({ type: 'text_delta', text }) },
  thinking: {
    block: { type: 'thinking', thinking: '', signature: '' },
    delta: (thinking) => ({ type: 'thinking_delta', thinking }),
  },
  tool_use: {
    block: { type: 'tool_use', id: 'tool', name: 'calculator', input: {} },
    delta: (partial_json) => ({ type: 'input_json_delta', partial_json }),
  },
};

const anyBlock = fc.record({
  kind: fc.constantFrom('text' as const, 'thinking' as const, 'tool_use' as const),
  texts: fc.array(anyText, { maxLength: 6 }),
  signed: fc.boolean(),
  closed: fc.boolean(),
});

export const messageStart: Chunk = {
  type: 'message_start',
  message: {
    id: 'msg',
    type: 'message',
    role: 'assistant',
    model: 'demo',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 3, output_tokens: 1 },
  },
};

/** The chunks of one call of a model: blocks one after the other, the last one perhaps left open. */
export const anyChunks: fc.Arbitrary<Chunk[]> = fc.array(anyBlock, { maxLength: 4 }).map((made) => [
  messageStart,
  ...made.flatMap(({ kind, texts, signed, closed }, index): Chunk[] => [
    { type: 'content_block_start', index, content_block: blocks[kind].block },
    ...texts.map((text): Chunk => ({
      type: 'content_block_delta',
      index,
      delta: blocks[kind].delta(text),
    })),
    ...(signed && kind === 'thinking'
      ? [
          {
            type: 'content_block_delta' as const,
            index,
            delta: { type: 'signature_delta' as const, signature: 'abc' },
          },
        ]
      : []),
    ...(closed || index < made.length - 1 ? [{ type: 'content_block_stop' as const, index }] : []),
  ]),
]);

const anyNote: fc.Arbitrary<StreamPart> = fc.oneof(
  fc
    .record({ id: fc.constantFrom('tool', 'other'), content: anyText, failed: fc.boolean() })
    .map(({ id, content, failed }): StreamPart => ({
      type: 'tool_result',
      tool_use_id: id,
      content,
      ...(failed && { is_error: true }),
    })),
  fc.constant<StreamPart>({
    type: 'round_end',
    delta: { stop_reason: 'tool_use', stop_sequence: null },
    usage: { output_tokens: 3 },
  }),
  anyText.map((answer): StreamPart => ({ type: 'repair', answer, problem: 'no JSON' })),
);

/** The same with what the worker adds to a stream, anywhere in it. */
export const anyParts: fc.Arbitrary<StreamPart[]> = fc
  .tuple(anyChunks, fc.array(fc.tuple(fc.nat(), anyNote), { maxLength: 4 }))
  .map(([chunks, notes]) =>
    notes.reduce<StreamPart[]>(
      (parts, [at, note]) => parts.toSpliced(1 + (at % parts.length), 0, note),
      chunks,
    ),
  );
