import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ContentAccumulator } from '../../../src/domain/content-accumulator.js';
import { deltaText, type Chunk, type ContentBlock } from '../../../src/domain/content.js';
import type { GenerationOptions } from '../../../src/domain/generation.js';
import { FlushShaper } from '../../../workers/flush-shaper.js';
import { anyChunks, messageStart } from '../../support/arbitraries.js';

type Flush = NonNullable<GenerationOptions['flush']>;

const textStart: Chunk = { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } };
const text = (said: string, index = 0): Chunk => ({
  type: 'content_block_delta',
  index,
  delta: { type: 'text_delta', text: said },
});

/** Streams in which every delta says something. */
const anyStream = anyChunks.map((chunks) =>
  chunks.filter((chunk) => chunk.type !== 'content_block_delta' || deltaText(chunk.delta) !== ''),
);

/** The texts of what goes on its way. */
const textsOf = (shaped: readonly { chunk: Chunk }[]) =>
  shaped.flatMap(({ chunk }) => (chunk.type === 'content_block_delta' ? (deltaText(chunk.delta) ?? []) : []));

const contentOf = (chunks: readonly Chunk[]): ContentBlock[] => {
  const accumulator = new ContentAccumulator();
  for (const chunk of chunks) accumulator.apply(chunk);
  return accumulator.content;
};

const shape = (flush: Flush | undefined, chunks: readonly Chunk[]) => {
  const shaper = new FlushShaper(flush);
  return [...chunks.flatMap((chunk) => shaper.add(chunk)), ...shaper.end()];
};

const anyFlush = fc.oneof(
  fc.constant<Flush>({ by: 'sentence' }),
  fc.integer({ min: 1, max: 12 }).map((characters): Flush => ({ by: 'size', characters })),
);

test('the content is the same, however it is flushed', () => {
  fc.assert(
    fc.property(anyFlush, anyStream, (flush, chunks) => {
      const shaped = shape(flush, chunks).map(({ chunk }) => chunk);
      expect(contentOf(shaped)).toEqual(contentOf(chunks));
    }),
  );
});

test('an attempt that goes on sends what is missing, with the numbers that sentences have', () => {
  fc.assert(
    fc.property(anyFlush, anyStream, fc.nat(), (flush, chunks, place) => {
      const cut = chunks.length === 0 ? 0 : place % (chunks.length + 1);
      const first = shape(flush, chunks.slice(0, cut));
      const second = new FlushShaper(flush);
      second.resume(first.map(({ chunk }) => chunk));
      const rest = [...chunks.slice(cut).flatMap((chunk) => second.add(chunk)), ...second.end()];
      const all = [...first, ...rest];
      expect(contentOf(all.map(({ chunk }) => chunk))).toEqual(contentOf(chunks));
      const numbers = (shaped: typeof all) => shaped.flatMap(({ sentenceIndex }) => sentenceIndex ?? []);
      expect([...new Set(numbers(all))]).toEqual([...new Set(numbers(shape(flush, chunks)))]);
    }),
  );
});

describe('by size', () => {
  test('text goes once there is enough of it, and the rest at the end of its block', () => {
    const shaper = new FlushShaper({ by: 'size', characters: 5 });
    expect(shaper.add(textStart)).toEqual([{ chunk: textStart }]);
    expect(shaper.add(text('12345'))).toEqual([]);
    expect(shaper.add(text('6'))).toEqual([{ chunk: text('12345') }]);
    const stop: Chunk = { type: 'content_block_stop', index: 0 };
    expect(shaper.add(stop)).toEqual([{ chunk: text('6') }, { chunk: stop }]);
  });

  test('no character is cut, whatever it is made of and however it comes', () => {
    const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
    const said = fc.array(
      fc.constantFrom(
        'a',
        'e',
        '\u0301',
        '\u0302',
        '👨',
        '\u200d',
        '👩',
        '\u{1f3fd}',
        '🇦',
        '🇹',
        '\r',
        '\n',
        '각',
        'ᆨ',
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(said, fc.integer({ min: 1, max: 8 }), (pieces, characters) => {
        const whole = pieces.join('');
        const chunks = Array.from(whole, (character) => text(character));
        const sent = textsOf(shape({ by: 'size', characters }, [textStart, ...chunks]));
        expect(sent.join('')).toBe(whole);
        const starts = new Set(Array.from(graphemes.segment(whole), ({ index }) => index));
        let at = 0;
        for (const piece of sent) {
          expect(starts.has(at)).toBe(true);
          at += piece.length;
        }
        for (const piece of sent.slice(0, -1)) expect(piece.length).toBeGreaterThanOrEqual(characters);
      }),
    );
  });

  test('marks without end on one character do not keep it for ever, and no surrogate pair is cut', () => {
    for (const mark of ['\u0301', '\u{1d16e}']) {
      const chunks = Array.from({ length: 1000 }, () => text(mark));
      const sent = textsOf(shape({ by: 'size', characters: 10 }, [textStart, text('e'), ...chunks]));
      expect(sent.length).toBeGreaterThan(2);
      expect(sent.join('')).toBe(`e${mark.repeat(1000)}`);
      for (const piece of sent) expect(piece.isWellFormed()).toBe(true);
    }
  });

  test('thinking and the input of tools are joined, too', () => {
    const thinking = (said: string): Chunk => ({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'thinking_delta', thinking: said },
    });
    const sent = shape({ by: 'size', characters: 3 }, ['a', 'b', 'c', 'd', 'e'].map(thinking));
    expect(textsOf(sent)).toEqual(['abc', 'de']);
  });
});

describe('by sentence', () => {
  test('each text has the number of its sentence, thinking has none', () => {
    const thought: Chunk = {
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'thinking_delta', thinking: 'So. Then. ' },
    };
    const shaped = shape({ by: 'sentence' }, [thought, text('One. T', 1), text('wo. Th', 1), text('ree', 1)]);
    expect(shaped).toEqual([
      { chunk: thought },
      { chunk: text('One. ', 1), sentenceIndex: 0 },
      { chunk: text('Two. ', 1), sentenceIndex: 1 },
      { chunk: text('Three', 1), sentenceIndex: 2 },
    ]);
  });

  test('a citation does not end its sentence', () => {
    const citation: Chunk = {
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'citations_delta', citation: { cited_text: 'so' } },
    };
    const shaped = shape({ by: 'sentence' }, [text('It is '), citation, text('so.')]);
    expect(shaped).toEqual([{ chunk: citation }, { chunk: text('It is so.'), sentenceIndex: 0 }]);
  });

  test('a stream that starts over counts from 0 again, and what waited is forgotten', () => {
    const shaper = new FlushShaper({ by: 'sentence' });
    shaper.add(text('One. Two. Thr'));
    expect(shaper.add(messageStart)).toEqual([{ chunk: messageStart }]);
    expect([...shaper.add(text('Four. Five')), ...shaper.end()]).toEqual([
      { chunk: text('Four. '), sentenceIndex: 0 },
      { chunk: text('Five'), sentenceIndex: 1 },
    ]);
  });
});

test('by time, or without a wish, everything goes at once', () => {
  const chunks = [textStart, text('a'), text('b')];
  for (const flush of [undefined, { by: 'time', ms: 100 } as const])
    expect(shape(flush, chunks)).toEqual(chunks.map((chunk) => ({ chunk })));
});
