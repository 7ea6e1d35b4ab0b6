import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tokensOf } from '../../../src/domain/tokens.js';
import { heading, textBlock, type Block } from '../../../src/reading/block.js';
import { readMarkdown } from '../../../src/reading/markdown.js';
import { readPlainText } from '../../../src/reading/plain-text.js';
import { toSections } from '../../../src/reading/sections.js';

const usualTokens = 2500;
const titles = (blocks: readonly Block[]) => toSections(blocks).map(({ title }) => title);

/** About so many tokens of sentences. */
const prose = (tokens: number, word = 'word') =>
  `Said ${word}. `.repeat(Math.ceil((tokens * 3) / (word.length + 7))).trimEnd();

describe('where sections begin', () => {
  test('at headings, of whatever level', () => {
    expect(titles(readMarkdown('intro\n\n# One\n\na\n\n## Two\n\nb\n\nThree\n=====\n\nc'))).toEqual([
      'intro',
      'One',
      'Two',
      'Three',
    ]);
  });

  test('a heading without text of its own goes with the next', () => {
    const [first, ...rest] = toSections(readMarkdown('# Part\n\n## Chapter\n\ntext\n\n# End'));
    expect(first).toMatchObject({ title: 'Chapter', source: '# Part\n\n## Chapter\n\ntext' });
    expect(rest).toMatchObject([{ title: 'End', source: '# End' }]);
  });

  test('not at what only looks like one in code, a quotation or a list', () => {
    const text = 'a\n\n```sh\n# no heading\n\n## nor this\n```\n\n> # quoted\n\n- # listed';
    expect(toSections(readMarkdown(text)).map(({ source }) => source)).toEqual([text]);
  });

  test('at lines of a text that read like headings', () => {
    const text =
      'PREFACE\n\nfirst\n\nChapter 1\n\nsecond\n\nIV.\n\nthird\n\n2.1 Results\n\nfourth, 5. June.\n\nNo. He left.';
    expect(titles(readPlainText(text))).toEqual(['PREFACE', 'Chapter 1', 'IV.', '2.1 Results']);
  });

  test('where there are no headings, between paragraphs, and each is called by its first words', () => {
    const paragraphs = Array.from({ length: 8 }, (_, i) => prose(900, `p${i}`));
    const sections = toSections(paragraphs.map(textBlock));
    expect(sections).toHaveLength(4);
    expect(sections.map(({ source }) => source)).toEqual(
      [0, 2, 4, 6].map((i) => `${paragraphs[i] ?? ''}\n\n${paragraphs[i + 1] ?? ''}`),
    );
    expect(sections[1]?.title).toMatch(/^Said p2\. .*…$/);
  });

  test('a long chapter is several sections, numbered', () => {
    const blocks = [heading(1, 'Long'), ...[1, 2, 3].map((i) => textBlock(prose(2000, `p${i}`)))];
    expect(titles(blocks)).toEqual(['Long', 'Long (2)', 'Long (3)']);
  });

  test('too many headings: lower ones begin none', () => {
    const blocks = Array.from({ length: 150 }, (_, i) => [
      heading(1, `Chapter ${i}`),
      textBlock('text'),
      heading(2, `Part ${i}`),
      textBlock('more'),
    ]).flat();
    expect(titles(blocks)).toEqual(Array.from({ length: 150 }, (_, i) => `Chapter ${i}`));
  });
});

describe('code and tables', () => {
  const code = `\`\`\`js\n${Array.from({ length: 400 }, (_, i) => `call(${i}); // ${'x'.repeat(20)}`).join('\n')}\n\`\`\``;
  const table = [
    '| n | square |',
    '| - | - |',
    ...Array.from({ length: 800 }, (_, i) => `| ${i} | ${i * i} |`),
  ].join('\n');

  test('stay whole above the usual bound', () => {
    for (const block of [code, table]) {
      expect(tokensOf(block)).toBeGreaterThan(usualTokens);
      const sections = toSections(readMarkdown(`# A\n\n${prose(2000)}\n\n${block}\n\n${prose(2000)}`));
      expect(sections.filter(({ source }) => source.includes(block))).toHaveLength(1);
    }
  });

  test('are cut between lines and rows where they are too long by themselves, fence and header repeated', () => {
    const [lines, rows] = [code.split('\n').slice(1, -1), table.split('\n').slice(2)];
    const long = `\`\`\`js\n${Array(6).fill(lines.join('\n')).join('\n')}\n\`\`\``;
    for (const { source } of toSections(readMarkdown(long))) {
      expect(source).toMatch(/^```js\ncall\([\s\S]*x\n```$/);
      expect(
        source
          .split('\n')
          .slice(1, -1)
          .every((line) => lines.includes(line)),
      ).toBe(true);
    }
    const longTable = ['| n | square |', '| - | - |', ...Array<string[]>(8).fill(rows).flat()].join('\n');
    const parts = toSections(readMarkdown(longTable));
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.flatMap(({ source }) => source.split('\n').slice(2))).toHaveLength(rows.length * 8);
    for (const { source } of parts) expect(source.startsWith('| n | square |\n| - | - |\n| ')).toBe(true);
  });
});

/** Blocks of Markdown of many kinds and lengths; no code or table so long that it has to be cut, its fence repeated. */
const words = fc.stringMatching(/^[A-Za-zäöüß]{1,12}( [a-z]{1,9}){0,8}$/);
const repeated = (unit: fc.Arbitrary<string>, most: number, join: string) =>
  fc
    .tuple(unit, fc.integer({ min: 1, max: most }))
    .map(([text, times]) => Array.from({ length: times }, (_, i) => `${text} ${i}`).join(join));
const blockText = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.integer({ min: 1, max: 6 }), words)
      .map(([level, title]) => `${'#'.repeat(level)} ${title}`),
  },
  { weight: 5, arbitrary: repeated(words, 300, '. ') },
  { weight: 2, arbitrary: repeated(words, 100, '\n').map((code) => `~~~\n# ${code}\n\n${code}\n~~~`) },
  { weight: 2, arbitrary: repeated(words, 200, ' |\n| ').map((rows) => `| head |\n| --- |\n| ${rows} |`) },
  { weight: 2, arbitrary: repeated(words, 100, '\n- ').map((items) => `- ${items}`) },
);
const markdown = fc.array(blockText, { minLength: 1, maxLength: 30 }).map((blocks) => blocks.join('\n\n'));

const bare = (text: string) => text.replace(/\s+/g, '');

describe('of any Markdown', () => {
  test('the same text gives the same sections, and together they are the text', () => {
    fc.assert(
      fc.property(markdown, (text) => {
        const sections = toSections(readMarkdown(text));
        expect(toSections(readMarkdown(text))).toEqual(sections);
        expect(bare(sections.map(({ source }) => source).join(''))).toBe(bare(text));
      }),
      { numRuns: 40 },
    );
  });

  test('no section is longer than the bound but for a code block or table that is, and none of these is cut', () => {
    fc.assert(
      fc.property(markdown, (text) => {
        const blocks = readMarkdown(text);
        const sections = toSections(blocks);
        const whole = blocks.filter(({ kind }) => kind === 'code' || kind === 'table');
        for (const block of whole)
          expect(sections.some(({ source }) => source.includes(block.text))).toBe(true);
        for (const { source, tokens } of sections) {
          expect(tokens).toBe(tokensOf(source));
          if (tokens > usualTokens) expect(whole.map((block) => block.text)).toContain(source);
        }
      }),
      { numRuns: 40 },
    );
  });
});

test('of any length there are at most 200 sections', () => {
  const kinds = fc.constantFrom<Block['kind']>('heading', 'text', 'code', 'table');
  const block = fc.tuple(kinds, fc.integer({ min: 1, max: 30_000 })).map(([kind, length]): Block => {
    const text = 'lorem ipsum\n'.repeat(Math.ceil((kind === 'heading' ? 1 : length) / 12));
    return kind === 'heading' ? heading(1 + (length % 6), 'title') : { kind, text };
  });
  fc.assert(
    fc.property(fc.array(block, { minLength: 200, maxLength: 600 }), (blocks) => {
      expect(toSections(blocks).length).toBeLessThanOrEqual(200);
    }),
    { numRuns: 10 },
  );
});
