import { expect, test } from 'vitest';
import { Typewriter } from '../../../src/cli/send/typewriter.js';

test('a lump is written in small pieces, and nothing of it is lost or cut within a character', async () => {
  const written: string[] = [];
  const typewriter = new Typewriter((text) => written.push(text));
  const text = 'Grüße 👩‍👩‍👧 '.repeat(20);
  typewriter.push(text);
  expect(written.join('').length).toBeLessThan(text.length);
  typewriter.push('.');
  await typewriter.end();
  expect(written.join('')).toBe(`${text}.`);
  expect(written.length).toBeGreaterThan(40);
  const pictures = written.filter((piece) => piece.includes('👩'));
  for (const piece of pictures) expect(piece).toContain('👩‍👩‍👧');

  typewriter.push('more');
  await typewriter.end();
  expect(written.join('')).toBe(`${text}.more`);
});
