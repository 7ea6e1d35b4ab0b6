import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Chunk } from '../../../src/domain/content.js';
import { ChunkMapper } from '../../../workers/chunk-mapper.js';
import { StreamState } from '../../../workers/stream-state.js';
import { anyChunks, anyText, messageStart } from '../../support/arbitraries.js';

const mapAll = (mapper: ChunkMapper, chunks: readonly Chunk[]) =>
  chunks.flatMap((chunk) => mapper.map(chunk));

const textCall = (texts: readonly string[]): Chunk[] => [
  messageStart,
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  ...texts.map((text): Chunk => ({
    type: 'content_block_delta',
    index: 0,
    delta: { type: 'text_delta', text },
  })),
  { type: 'content_block_stop', index: 0 },
];

/** What becomes of a text: halves of pairs replaced, but for one at the very end, which is left out. */
const wholeText = (text: string) =>
  text
    .replace(/[\ud800-\udbff]$/, '')
    .toWellFormed()
    .replaceAll('\0', '\uFFFD');

describe('the chunks of a call', () => {
  test('keep their text, however it was cut into pieces', () => {
    fc.assert(
      fc.property(fc.array(anyText), (texts) => {
        const mapped = mapAll(new ChunkMapper({ started: false, nextIndex: 0 }), textCall(texts));
        expect(StreamState.of(mapped).text).toBe(wholeText(texts.join('')));
      }),
    );
  });

  test('hold nothing that JSON in Postgres cannot, in any delta', () => {
    fc.assert(
      fc.property(anyChunks, (chunks) => {
        for (const chunk of mapAll(new ChunkMapper({ started: false, nextIndex: 0 }), chunks)) {
          const json = JSON.stringify(chunk);
          expect(json).not.toMatch(/\\u0000|\\ud[89a-f][0-9a-f]{2}/i);
        }
      }),
    );
  });

  test('go on from the calls before: one message_start, indexes without gap, as many blocks', () => {
    fc.assert(
      fc.property(fc.array(anyChunks, { minLength: 1, maxLength: 4 }), (calls) => {
        const state = new StreamState();
        const all: Chunk[] = [];
        for (const call of calls) {
          const mapper = new ChunkMapper({ started: state.started, nextIndex: state.nextIndex });
          for (const chunk of mapAll(mapper, call)) {
            state.apply(chunk);
            all.push(chunk);
          }
        }
        expect(all.filter(({ type }) => type === 'message_start')).toHaveLength(1);
        const starts = all.flatMap((chunk) => (chunk.type === 'content_block_start' ? [chunk.index] : []));
        expect(starts).toEqual(starts.map((_, i) => i));
        expect(starts).toHaveLength(calls.flat().filter(({ type }) => type === 'content_block_start').length);
      }),
    );
  });

  test('go on in an open block, without what the model thought before its text', () => {
    fc.assert(
      fc.property(fc.array(anyText), (texts) => {
        const mapper = new ChunkMapper({
          started: true,
          nextIndex: 3,
          resume: { openIndex: 2, whiteSpace: '' },
        });
        const call: Chunk[] = [
          messageStart,
          {
            type: 'content_block_start',
            index: 0,
            content_block: { type: 'thinking', thinking: '', signature: '' },
          },
          { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'hm' } },
          { type: 'content_block_stop', index: 0 },
          ...textCall(texts)
            .slice(1)
            .map((chunk) => ('index' in chunk ? { ...chunk, index: 1 } : chunk)),
        ];
        const mapped = mapAll(mapper, call);
        for (const chunk of mapped) expect(chunk).toMatchObject({ index: 2 });
        expect(mapped.map(({ type }) => type)).not.toContain('content_block_start');
        expect(JSON.stringify(mapped)).not.toContain('thinking');
        const text = mapped.map((chunk) =>
          chunk.type === 'content_block_delta' && chunk.delta.type === 'text_delta' ? chunk.delta.text : '',
        );
        expect(text.join('')).toBe(wholeText(texts.join('')));
      }),
    );
  });

  test('end the open text where a call of a tool takes its place, which is not dropped', () => {
    const call: Chunk[] = [
      messageStart,
      {
        type: 'content_block_start',
        index: 0,
        content_block: { type: 'thinking', thinking: '', signature: '' },
      },
      { type: 'content_block_stop', index: 0 },
      {
        type: 'content_block_start',
        index: 1,
        content_block: { type: 'tool_use', id: 'c1', name: 'calculator', input: {} },
      },
      { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{}' } },
      { type: 'content_block_stop', index: 1 },
    ];
    const used = { started: true, nextIndex: 3 };
    const open = mapAll(new ChunkMapper({ ...used, resume: { openIndex: 2, whiteSpace: ' ' } }), call);
    expect(open[0]).toEqual({ type: 'content_block_stop', index: 2 });
    expect(open.slice(1)).toMatchObject([
      { type: 'content_block_start', index: 3, content_block: { type: 'tool_use' } },
      { type: 'content_block_delta', index: 3 },
      { type: 'content_block_stop', index: 3 },
    ]);
    const closed = mapAll(
      new ChunkMapper({ ...used, resume: { openIndex: undefined, whiteSpace: '' } }),
      call,
    );
    expect(closed).toEqual(open.slice(1));
  });

  test('do not repeat the white space that ended the text before', () => {
    const space = fc.string({ unit: fc.constantFrom(' ', '\n', '\t'), maxLength: 5 });
    fc.assert(
      fc.property(space, fc.nat(5), fc.array(fc.nat(4), { maxLength: 5 }), (whiteSpace, repeated, cuts) => {
        const repeats = whiteSpace.slice(0, repeated);
        const said = `${repeats}word  next`;
        const pieces: string[] = [];
        let rest = said;
        for (const cut of cuts) {
          pieces.push(rest.slice(0, cut));
          rest = rest.slice(cut);
        }
        pieces.push(rest);
        const mapper = new ChunkMapper({ started: true, nextIndex: 1, resume: { openIndex: 0, whiteSpace } });
        const text = mapAll(mapper, textCall(pieces)).map((chunk) =>
          chunk.type === 'content_block_delta' && chunk.delta.type === 'text_delta' ? chunk.delta.text : '',
        );
        expect(text.join('')).toBe('word  next');
      }),
    );
  });
});
