import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SentenceCutter } from '../../../workers/sentence-cutter.js';

/** The sentences of a text that comes in these pieces. */
function sentences(...pieces: string[]): string[] {
  const cutter = new SentenceCutter();
  const cut = [...pieces.flatMap((piece) => cutter.add(piece)), ...cutter.end()];
  const whole: string[] = [];
  for (const { text, sentenceIndex = -1 } of cut) whole[sentenceIndex] = (whole[sentenceIndex] ?? '') + text;
  return whole;
}

const code = '```ts\nconst a = 1. Next;\n// One. Two.\n\nb();\n```\n';

describe('a sentence ends', () => {
  test.each<[string, string[]]>([
    ['at a full stop, a question mark and an exclamation mark', ['It is so. ', 'Is it? ', 'It is! ', 'Yes']],
    ['at every line', ['# A title\n', '- one\n', '- two\n\n', 'The rest']],
    ['behind a quotation', ['“Stop.” ', 'He stopped. ', 'She said: "Go." ', 'Nobody went.']],
    ['behind markup', ['**Bold.** ', '_So._ ', '(As ever.) ', 'Done']],
    ['in languages without spaces', ['他说。', '好的！', '再见']],
    ['in other scripts', ['Привет. ', 'Как дела? ', 'مرحبا. ', 'كيف حالك؟ ', 'नमस्ते। ', 'ठीक है।']],
    ['behind an ellipsis before a capital', ['Well... ', 'So be it.']],
    ['behind a number', ['It has 3. ', 'That has 4.5. ', 'Done.']],
    ['behind a span of code', ['Call `a.b()`. ', 'Then `c`. ', 'Done.']],
    ['behind a backtick that stands alone', ['A ` alone. ', 'Is none.\n', 'Next']],
    ['before and behind a block of code', ['This is it:\n\n', code + '\n', 'That was it.']],
    ['at a Windows line end', ['One\r\n', 'Two. ', 'Three\r\n\r\n', 'Four']],
  ])('%s', (_, expected) => {
    expect(sentences(expected.join(''))).toEqual(expected);
  });
});

describe('a sentence does not end', () => {
  test.each([
    ['titles', 'Dr. Smith met Prof. Jones and Mrs. Lee vs. St. John.'],
    ['abbreviations', 'Fruit, e.g. Apples, i.e. Pomes, z.B. Boskoop, bzw. Elstar.'],
    ['abbreviations before numbers', 'See No. 5, Fig. 3, p. 12 and Vol. 2 of Jan. 2026.'],
    ['initials', 'J. S. Bach lived before the U.S. Army did.'],
    ['decimals', 'It costs 3.14 or 1.000,50 in v1.2.3 today.'],
    ['addresses', 'Read https://example.com/a.b?q=1.5&c!x#y.z or mail a.b@example.com now.'],
    ['file names', 'Open main.test.ts or .env.local here.'],
    ['the numbers of a list', '1. First'],
    ['spans of code', 'Write `a. B? C!` or ``x`. Y`` here.'],
    ['a lower case letter', 'Yahoo! shares fell... and then rose.'],
    ['quotations in a sentence', '"Stop!" he said.'],
  ])('in %s', (_, text) => {
    expect(sentences(text)).toEqual([text]);
  });

  test.each([
    ['a block of code', code],
    ['tildes', '~~~\nA. B.\n\n```\nC. D.\n~~~\n'],
    ['a longer fence', '````md\nA.\n```\nB. C.\n```\nD.\n````\n'],
    ['a fence in a list', '- ```sh\n  ls. A. B.\n\n  ```\n'],
    ['a fence that is never closed', '```py\nprint("A. B.")\n\n# C. D.\n'],
  ])('in %s', (_, text) => {
    expect(sentences(text)).toEqual([text]);
  });
});

test('a sentence goes as soon as the next one has begun', () => {
  const cutter = new SentenceCutter();
  expect(cutter.add('It is so.')).toEqual([]);
  expect(cutter.add(' ')).toEqual([]);
  expect(cutter.add('A')).toEqual([{ text: 'It is so. ', sentenceIndex: 0 }]);
  expect(cutter.add('nd this')).toEqual([]);
  expect(cutter.end()).toEqual([{ text: 'And this', sentenceIndex: 1 }]);
  expect(cutter.end()).toEqual([]);
});

test('the numbers run on from block to block', () => {
  const cutter = new SentenceCutter();
  cutter.add('One. Two');
  cutter.end();
  expect([...cutter.add('Three. Four'), ...cutter.end()]).toEqual([
    { text: 'Three. ', sentenceIndex: 2 },
    { text: 'Four', sentenceIndex: 3 },
  ]);
});

test.each([
  ['One. Two and', ' a half. Three.'],
  ['One. ', 'Two. Three.'],
  ['One. 12', ' Two. Three.'],
  ['One', '. Two. Three.'],
])('what another attempt has sent of a sentence is not sent again: %j, %j', (before, after) => {
  const first = new SentenceCutter();
  const sent = [...first.add(before), ...first.end()];
  const second = new SentenceCutter();
  second.add(before);
  second.markSent();
  const rest = [...second.add(after), ...second.end()];
  const all = [...sent, ...rest].map(({ text }) => text).join('');
  expect(all).toBe(before + after);
  expect(rest.at(-1)).toEqual({ text: 'Three.', sentenceIndex: 2 });
});

test('an endless sentence and endless code are cut, between characters', () => {
  for (const text of ['👨‍👩‍👧‍👦'.repeat(2000), 'word '.repeat(5000), `\`\`\`\n${'x. Y\n'.repeat(20_000)}`]) {
    const cut = sentences(text);
    expect(cut.length).toBeGreaterThan(1);
    expect(cut.join('')).toBe(text);
    for (const piece of cut) expect(piece.startsWith('\u200d')).toBe(false);
    for (const piece of cut) expect(piece.isWellFormed()).toBe(true);
  }
});

const fragment = fc.oneof(
  fc.constantFrom(
    ...[
      '. ',
      '? ',
      '!',
      '.',
      ' ',
      '\n',
      '\n\n',
      '\r',
      '\r\n',
      '`',
      '``',
      '```',
      '```\n',
      '~~~\n',
      '"',
      '”',
      '**',
    ],
    ...[
      'Dr',
      'No',
      'e.g',
      'I',
      'U.S',
      'A',
      'b',
      '3',
      '1',
      '。',
      '…',
      '👨‍👩‍👧',
      'e\u0301',
      '\u2028',
      '\t',
      '- ',
      '1. ',
      '> ',
    ],
    ...[
      'https://a.b/?c=d.',
      'word',
      'Word',
      'مرحبا',
      '؟',
      'ß',
      'ﬀ',
      '\u0301',
      '\u200b',
      '𝒜',
      '\u{1f1e9}\u{1f1ea}',
    ],
  ),
  fc.string({ unit: 'grapheme', maxLength: 4 }),
);
const anyMarkdown = fc.array(fragment, { maxLength: 60 }).map((fragments) => fragments.join(''));

/** A text, cut anywhere, also within characters. */
const anyCutting = fc
  .tuple(anyMarkdown, fc.array(fc.nat({ max: 200 }), { maxLength: 12 }))
  .map(([text, places]) => {
    const cuts = [0, ...places.map((place) => place % (text.length + 1)).sort((a, b) => a - b), text.length];
    return { text, pieces: cuts.slice(1).map((cut, i) => text.slice(cuts[i], cut)) };
  });

test('the sentences are the same however the text was cut, and together are the text', () => {
  fc.assert(
    fc.property(anyCutting, ({ text, pieces }) => {
      const whole = sentences(text);
      expect(whole.join('')).toBe(text);
      expect(sentences(...pieces)).toEqual(whole);
      expect(sentences(...Array.from(text))).toEqual(whole);
    }),
    { numRuns: 2000 },
  );
});

test('the sentences are the same where they are too long', () => {
  const long = fc
    .tuple(anyMarkdown, fc.nat({ max: 90 }), anyMarkdown, anyMarkdown)
    .map(
      ([before, shift, middle, after]) =>
        `${before}${'word '.repeat(780 + shift)}${middle}${'xy '.repeat(400)}${after}`,
    );
  fc.assert(
    fc.property(long, fc.integer({ min: 1, max: 900 }), (text, step) => {
      const pieces = Array.from({ length: Math.ceil(text.length / step) }, (_, i) =>
        text.slice(i * step, (i + 1) * step),
      );
      const lengths = (cut: readonly string[]) => cut.map(({ length }) => length);
      expect(lengths(sentences(...pieces))).toEqual(lengths(sentences(text)));
    }),
    { numRuns: 60 },
  );
});

test('no sentence ends within a character', () => {
  const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
  fc.assert(
    fc.property(anyCutting, ({ text, pieces }) => {
      const starts = new Set(Array.from(graphemes.segment(text), ({ index }) => index));
      let at = 0;
      for (const sentence of sentences(...pieces)) {
        expect(starts.has(at)).toBe(true);
        at += sentence.length;
      }
    }),
    { numRuns: 1000 },
  );
});
