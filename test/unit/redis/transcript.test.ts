import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ContentAccumulator } from '../../../src/domain/content-accumulator.js';
import type { Chunk, ContentBlock, StreamPart } from '../../../src/domain/content.js';
import { readTranscript, TranscriptWriter } from '../../../src/redis/transcript.js';
import { anyParts, anyText } from '../../support/arbitraries.js';

function contentOf(parts: readonly StreamPart[]): ContentBlock[] {
  const accumulator = new ContentAccumulator();
  for (const part of parts) accumulator.apply(part);
  return accumulator.content;
}

describe('a transcript', () => {
  test('tells exactly what was written into it', () => {
    fc.assert(
      fc.property(anyParts, (parts) => {
        const writer = new TranscriptWriter();
        const transcript = parts.map((part) => writer.add(part)).join('');
        const read = readTranscript(transcript).parts;
        expect(contentOf(read)).toEqual(contentOf(parts));
        const marks = (all: readonly StreamPart[]) =>
          all.filter(({ type }) => type !== 'content_block_delta');
        expect(marks(read)).toEqual(marks(parts));
      }),
    );
  });

  test('goes on under another writer, wherever the first one stopped', () => {
    fc.assert(
      fc.property(anyParts, fc.nat(), (parts, cut) => {
        const at = cut % (parts.length + 1);
        const [first, second] = [new TranscriptWriter(), new TranscriptWriter()];
        const transcript = parts.map((part, i) => (i < at ? first : second).add(part)).join('');
        expect(contentOf(readTranscript(transcript).parts)).toEqual(contentOf(parts));
      }),
    );
  });

  test('counts what a call has written under another writer, too, at no higher cost', () => {
    const first = new TranscriptWriter();
    const second = new TranscriptWriter();
    const delta: Chunk = {
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'text_delta', text: 'word ' },
    };
    let transcript =
      first.add({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }) +
      first.beginCall() +
      first.add(delta) +
      second.beginCall() +
      second.add(delta);
    const before = transcript.length;
    for (let i = 0; i < 100; i += 1) transcript += second.add(delta);
    expect(transcript.length - before).toBeLessThanOrEqual(5 * 100 + 2);
    expect(readTranscript(transcript).calls).toMatchObject([{ characters: 5 }, { characters: 5 * 101 }]);
  });

  test('keeps what is reported of each call apart from what was written', () => {
    const call = fc.record({
      reports: fc.array(fc.record({ input_tokens: fc.nat(), output_tokens: fc.nat() }), { maxLength: 3 }),
      texts: fc.array(anyText, { maxLength: 3 }),
      final: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(call, { maxLength: 4 }), (calls) => {
        const writer = new TranscriptWriter();
        let transcript = writer.add({
          type: 'content_block_start',
          index: 0,
          content_block: { type: 'text', text: '' },
        });
        for (const { reports, texts, final } of calls) {
          transcript += writer.beginCall();
          for (const text of texts)
            transcript += writer.add({
              type: 'content_block_delta',
              index: 0,
              delta: { type: 'text_delta', text },
            });
          for (const usage of reports) transcript += writer.reportUsage(usage, final);
        }
        const read = readTranscript(transcript);
        expect(contentOf(read.parts)).toEqual([
          { type: 'text', text: calls.flatMap(({ texts }) => texts).join('') },
        ]);
        expect(read.calls).toEqual(
          calls.map(({ reports, texts, final }) => ({
            usage: reports.at(-1) ?? {},
            final: reports.length > 0 && final,
            characters: texts.join('').length,
          })),
        );
      }),
    );
  });

  test('costs a token little more than its own length', () => {
    const writer = new TranscriptWriter();
    const start: Chunk = { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } };
    const before = writer.add(start).length;
    let length = before;
    for (let i = 0; i < 1000; i += 1)
      length += writer.add({
        type: 'content_block_delta',
        index: 0,
        delta: { type: 'text_delta', text: 'word ' },
      }).length;
    expect(length - before).toBeLessThanOrEqual(5 * 1000 + 2);
  });

  test('that is empty tells of nothing', () => {
    expect(readTranscript('')).toEqual({ parts: [], calls: [] });
  });
});
