import { describe, expect, test } from 'vitest';
import { Highlighter, type Line } from '../../../web/src/highlight/highlighter.js';
import { javascript } from '../../../web/src/highlight/javascript-parser.js';
import { shell } from '../../../web/src/highlight/stream-parsers.js';

const typescript = javascript.configure({ dialect: 'ts' });
const code = [
  'export async function exportCsv(rows: AsyncIterable<Row>): Promise<void> {',
  '  const text = `a ${rows} b',
  '  c`; /* over',
  '  two lines */',
  '  return once(rows, "close", 42);',
  '}',
].join('\n');

const textOf = (lines: readonly Line[]) =>
  lines.map((line) => line.map(({ text }) => text).join('')).join('\n');
const kindOf = (lines: readonly Line[], text: string) =>
  lines.flat().find((token) => token.text === text)?.kind;

describe('the highlighter', () => {
  test('keeps every character and names what it is', () => {
    const lines = new Highlighter(typescript).lines(code);
    expect(textOf(lines)).toBe(code);
    expect(kindOf(lines, 'export')).toBe('kw');
    expect(kindOf(lines, 'exportCsv')).toBe('fn');
    expect(kindOf(lines, 'AsyncIterable')).toBe('type');
    expect(kindOf(lines, '"close"')).toBe('str');
    expect(kindOf(lines, '42')).toBe('num');
    expect(kindOf(lines, '  two lines */')).toBe('comment');
  });

  test('names methods as functions, where they are defined too, and no fields', () => {
    const lines = new Highlighter(typescript).lines('class A {\n  kept = 1;\n  take(): void {}\n}');
    expect(kindOf(lines, 'take')).toBe('fn');
    expect(lines.flat().find(({ text }) => text.includes('kept'))?.kind).not.toBe('fn');
  });

  test('takes a constructor for a word of the language', () => {
    const lines = new Highlighter(typescript).lines('class A {\n  constructor(readonly kept: number) {}\n}');
    expect(kindOf(lines, 'constructor')).toBe('kw');
  });

  test.each([
    ['a grammar', typescript, code],
    [
      'a mode that reads line by line',
      shell,
      'curl -N "$URL" \\\n  -H "A: b" # c\nfor x in 1 2; do\n  echo "$x"\ndone',
    ],
  ])('reads code that grows as it reads it whole, with %s', (_what, language, whole) => {
    const growing = new Highlighter(language);
    for (let length = 1; length <= whole.length; length += 1) {
      const part = whole.slice(0, length);
      expect(growing.lines(part)).toEqual(new Highlighter(language).lines(part));
    }
  });

  test('gives lines that did not change as the same objects', () => {
    const highlighter = new Highlighter(typescript);
    const before = highlighter.lines('const a = 1;\nconst b = 2;\nconst c');
    const after = highlighter.lines('const a = 1;\nconst b = 2;\nconst c = 3;');
    expect(after[0]).toBe(before[0]);
    expect(after[1]).toBe(before[1]);
    expect(after[2]).not.toBe(before[2]);
  });

  test('begins anew with other code', () => {
    const highlighter = new Highlighter(typescript);
    highlighter.lines('const a = 1;');
    expect(textOf(highlighter.lines('let b'))).toBe('let b');
  });
});
