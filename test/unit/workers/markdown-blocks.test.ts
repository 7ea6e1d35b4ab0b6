import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MarkdownBlocks } from '../../../workers/markdown-blocks.js';
import { renderMarkdown } from '../../../workers/markdown-html.js';

/** The final blocks of a text that comes in these pieces, looked at after each. */
function blocksOf(...pieces: string[]) {
  const blocks = new MarkdownBlocks();
  const taken = pieces.flatMap((piece) => {
    blocks.add(piece);
    return blocks.take();
  });
  return [...taken, ...blocks.end()];
}

const sourcesOf = (...pieces: string[]) => blocksOf(...pieces).map(({ source }) => source);

describe('a text falls into', () => {
  test.each<[string, string[]]>([
    ['paragraphs', ['one\ntwo\n\n', 'three']],
    ['headings', ['# a\n', '## b\n', 'c\n===\n', 'd']],
    ['lists', ['- a\n\n  b\n- c\n\n', '1. d\n2. e\n\n', 'f']],
    ['quotations', ['> a\nlazy\n\n', '> b\n\n', 'c']],
    ['tables', ['a\n\n', '|b|c|\n|-|-|\n|1|2|\n\n', 'd']],
    ['code', ['```ts\na\n\n# b\n```\n\n', 'c\n\n', '    d\n\n    e\n\n', 'f']],
    ['lines', ['a\n\n', '---\n', 'b']],
    ['code that is never closed', ['a\n\n', '```\nb\n\nc\n']],
  ])('%s', (_, sources) => {
    expect(sourcesOf(sources.join(''))).toEqual(sources);
  });
});

test('code tells its language', () => {
  const fences = [
    '```ts\na\n```\n',
    '~~~ C++ x\nb\n~~~\n',
    '```\nc\n```\n',
    '```{.py}\nd\n```\n',
    '```a"b\ne\n```\n',
  ];
  expect(blocksOf(fences.join('')).map(({ language }) => language)).toEqual(['ts', 'c++', null, null, null]);
});

test('a block is final once a whole line of the next one has come', () => {
  const blocks = new MarkdownBlocks();
  blocks.add('a\n\n-');
  expect([blocks.take().length, blocks.open?.source]).toEqual([0, 'a\n\n-']);
  blocks.add(' b');
  expect(blocks.take()).toEqual([]);
  blocks.add('\n');
  expect(blocks.take().map(({ source }) => source)).toEqual(['a\n\n']);
  expect(blocks.open?.source).toBe('- b\n');
});

test('what looks like the end of a block is not, where the next line says otherwise', () => {
  const blocks = new MarkdownBlocks();
  blocks.add('a\n-');
  expect(blocks.take()).toEqual([]);
  blocks.add('--\nb\n');
  expect(blocks.take().map(({ source }) => source)).toEqual(['a\n---\n']);
});

test('what is too long for one block goes on as another, code as code', () => {
  const lines = Array.from({ length: 3000 }, (_, i) => `const line${i} = ${i};`);
  const blocks = blocksOf(`\`\`\`ts\n${lines.join('\n')}\n\`\`\`\n`);
  expect(blocks.length).toBeGreaterThan(2);
  const code = blocks.map(({ source }) => source.replace(/^```ts\n/, '').replace(/```\n$/, '')).join('');
  expect(code).toBe(`${lines.join('\n')}\n`);
  for (const { source, language } of blocks) {
    expect(language).toBe('ts');
    expect(renderMarkdown(source)).toMatch(/^<pre><code class="hljs language-ts">/);
    expect(source.length).toBeLessThan(12_100);
  }
});

const fragment = fc.oneof(
  fc.constantFrom(
    ...[
      'a',
      'B c',
      '\n',
      '\n\n',
      '\r\n',
      '\r',
      ' ',
      '  ',
      '    ',
      '\t',
      '- ',
      '* ',
      '+ ',
      '1. ',
      '2) ',
      '> ',
      '>',
      '# ',
      '#',
    ],
    ...[
      '```',
      '```ts\n',
      '````',
      '~~~',
      '---',
      '===',
      '***',
      '|',
      'a|b',
      '\n-|-\n',
      ':-:',
      '[b]: https://c',
      '[b]',
      '<p>',
    ],
    ...[
      '`',
      '**',
      '-',
      '=',
      '\\',
      '&',
      '\u00a0',
      '\u2028',
      '\u000b',
      '\u000c',
      'é',
      '👨‍👩‍👧',
      '***\n',
      '<!--\n',
      '[^1]: ',
    ],
  ),
  fc.string({ unit: 'grapheme', maxLength: 3 }),
);

const anyCutting = fc
  .tuple(fc.array(fragment, { maxLength: 50 }), fc.array(fc.nat({ max: 300 }), { maxLength: 10 }))
  .map(([fragments, places]) => {
    const text = fragments.join('');
    const cuts = [0, ...places.map((place) => place % (text.length + 1)).sort((a, b) => a - b), text.length];
    return { text, pieces: cuts.slice(1).map((cut, i) => text.slice(cuts[i], cut)) };
  });

test('the blocks are the same however the text was cut', () => {
  fc.assert(
    fc.property(anyCutting, ({ text, pieces }) => {
      const whole = blocksOf(text);
      expect(blocksOf(...pieces)).toEqual(whole);
      expect(blocksOf(...Array.from(text))).toEqual(whole);
    }),
    { numRuns: 1000 },
  );
});

test('rendered one by one they are the whole text rendered', () => {
  fc.assert(
    fc.property(anyCutting, ({ text, pieces }) => {
      // What a reference means is looked up in its block alone.
      const plain = pieces.map((piece) => piece.replaceAll('[', '('));
      const html = sourcesOf(...plain)
        .map(renderMarkdown)
        .join('');
      expect(html).toBe(renderMarkdown(text.replaceAll('[', '(')));
    }),
    { numRuns: 1000 },
  );
});

test('the blocks are the same where they are too long', () => {
  const long = fc
    .tuple(fc.array(fragment, { maxLength: 20 }), fc.nat({ max: 90 }), fc.array(fragment, { maxLength: 20 }))
    .map(
      ([before, shift, after]) =>
        `${before.join('')}${'a word\n'.repeat(1650 + shift)}${after.join('')}\n${'b\n'.repeat(7000)}`,
    );
  fc.assert(
    fc.property(long, fc.integer({ min: 700, max: 9000 }), (text, step) => {
      const pieces = Array.from({ length: Math.ceil(text.length / step) }, (_, i) =>
        text.slice(i * step, (i + 1) * step),
      );
      const lengths = (sources: readonly string[]) => sources.map(({ length }) => length);
      expect(lengths(sourcesOf(...pieces))).toEqual(lengths(sourcesOf(text)));
    }),
    { numRuns: 15 },
  );
});
