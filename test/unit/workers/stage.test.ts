import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Stage } from '../../../workers/stage.js';
import { TextFigures } from '../../../workers/text-figures.js';

const answer = [
  'Here is the plan.',
  '',
  '## The merger',
  'It reads **pages**.',
  '```ts',
  'export abstract class PdfMerger {',
  '  # not a heading',
  '  async merge() {}',
  '}',
  'function main() {',
  '```',
  'Done.',
].join('\n');

test('the stage is the heading, then the class, then the function that is being written', () => {
  const stage = new Stage();
  const seen: (string | null)[] = [];
  for (const character of answer) {
    stage.add(character);
    if (seen.at(-1) !== stage.label) seen.push(stage.label);
  }
  expect(seen.filter((label) => label !== null)).toEqual(['The merger', 'class PdfMerger', 'function main']);
});

test('figures and stage do not depend on where the text is cut', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.array(fc.nat(20)), (text, cuts) => {
      const whole = new TextFigures();
      whole.add(text);
      const cut = new TextFigures();
      const labels = [new Stage(), new Stage()] as const;
      labels[0].add(`${answer}${text}`);
      let rest = `${answer}${text}`;
      for (const length of [...cuts, rest.length]) {
        labels[1].add(rest.slice(0, length));
        rest = rest.slice(length);
      }
      let left = text;
      for (const length of [...cuts, text.length]) {
        cut.add(left.slice(0, length));
        left = left.slice(length);
      }
      expect([cut.characters, cut.words]).toEqual([whole.characters, whole.words]);
      expect(labels[1].label).toBe(labels[0].label);
      expect(whole.words).toBe(text.split(/\s+/u).filter((word) => word !== '').length);
    }),
  );
});
