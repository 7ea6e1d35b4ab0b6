import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WordWrap } from '../../../src/cli/send/word-wrap.js';

function wrap(pieces: readonly string[], columns: number): string {
  const wrapping = new WordWrap(columns);
  return pieces.map((piece) => wrapping.push(piece)).join('') + wrapping.end();
}

test('lines are wrapped at words, however the text is cut into pieces', () => {
  expect(wrap(['The quick bro', 'wn fox jum', 'ps'], 10)).toBe('The quick\nbrown fox\njumps');
  fc.assert(
    fc.property(
      fc.array(
        fc.constantFrom('a', 'word', ' ', '  ', '\n', 'longest-word-of-all', '漢字', '\t', '```\n', '| x'),
      ),
      fc.integer({ min: 4, max: 20 }),
      (pieces, columns) => {
        const whole = pieces.join('');
        expect(wrap(pieces, columns)).toBe(wrap([whole], columns));
        expect(wrap(pieces, columns).split(/\s+/).join(' ').trim()).toBe(whole.split(/\s+/).join(' ').trim());
      },
    ),
  );
});

test('a word that is not whole is not given out', () => {
  const wrapping = new WordWrap(10);
  expect(wrapping.push('one tw')).toBe('one');
  expect(wrapping.push('o three')).toBe(' two');
  expect(wrapping.push('\n')).toBe('\nthree\n');
});

test('indentation is kept, wide characters count twice, code and tables are left alone', () => {
  expect(wrap(['  one two three'], 9)).toBe('  one two\n  three');
  expect(wrap(['漢字 漢字 漢字'], 9)).toBe('漢字 漢字\n漢字');
  const code = '```js\nconst one = two + three;\n```\n| a | table | that is wide |\n';
  expect(wrap([code], 10)).toBe(code);
  expect(wrap([`${code}one two three`], 9)).toBe(`${code}one two\nthree`);
});
