import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { fixturePath } from '../../support/fixtures.js';
import { unwrap } from '../../../web/src/documents/unwrap.js';

const alice = `CHAPTER II. The Pool of Tears

“Curiouser and curiouser!” cried Alice (she was so much surprised, that
for the moment she quite forgot how to speak good English); “now I’m
opening out like the largest telescope that ever was! Good-bye, feet!”

And she went on planning to herself how she would manage it.`;

const verse = `How doth the little crocodile
     Improve his shining tail,
And pour the waters of the Nile
     On every golden scale!

How cheerfully he seems to grin, how neatly spreads his claws,
And welcome little fishes in
     With gently smiling jaws!`;

describe('a wrapped text', () => {
  test('has each paragraph in one line', () => {
    const paragraphs = unwrap(alice).split('\n\n');
    expect(paragraphs).toHaveLength(3);
    expect(paragraphs.filter((paragraph) => paragraph.includes('\n'))).toEqual([]);
    expect(paragraphs[1]).toContain('surprised, that for the moment');
  });

  test('loses nothing but its breaks, whatever the text', async () => {
    const words = (text: string) => text.split(/\s+/).join(' ');
    for (const text of [alice, verse, await readFile(fixturePath('alice.txt'), 'utf8')])
      expect(words(unwrap(text))).toBe(words(text));
  });

  test('keeps the lines that ended early, the items of its lists, and what is set in', () => {
    const list = [
      'What was to be found on the shelves of the well, as she fell slowly:',
      '1. maps and pictures, hung upon pegs, some of them on the very doors',
      '2. a jar, which was labelled “ORANGE MARMALADE”, but to her great and',
      'lasting disappointment it was empty: she did not like to drop the jar,',
      'for fear of killing somebody.',
      'So she put it into one of the cupboards as she fell past it, and then',
      'thought to herself for a while.',
    ].join('\n');
    expect(unwrap(list).split('\n')).toEqual([
      expect.stringMatching(/^What .*slowly:$/),
      expect.stringMatching(/^1\. .*doors$/),
      expect.stringMatching(/^2\. .*great and lasting .*the jar, for fear of killing somebody\.$/),
      expect.stringMatching(/^So .*then thought to herself for a while\.$/),
    ]);
  });

  test('that divides a word at its hyphen has it whole again', () => {
    const line = 'x'.repeat(60);
    expect(unwrap(`${line} well-\nknown ${line}`)).toBe(`${line} well-known ${line}`);
  });
});

test.each([
  ['verse', verse],
  ['short lines', 'one\ntwo\nthree'],
  ['one long line after the other', `${'word '.repeat(60)}\n${'word '.repeat(60)}`],
  ['nothing', ''],
])('%s stays as it is', (_, text) => {
  expect(unwrap(text)).toBe(text);
});
