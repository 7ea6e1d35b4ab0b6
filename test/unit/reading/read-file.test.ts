import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import iconv from 'iconv-lite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readDocumentFile } from '../../../src/reading/read-file.js';
import { fixturePath } from '../../support/fixtures.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tokencast-reading-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(content: string | Uint8Array, name = 'file') {
  const path = join(folder, name);
  await writeFile(path, content);
  return readDocumentFile(path);
}

const readFixture = (name: string) => readDocumentFile(fixturePath(name));
const wholeOf = async (content: string | Uint8Array) =>
  (await read(content)).sections.map(({ source }) => source).join('\n\n');

describe('the kinds of files', () => {
  test.each([
    ['alice.txt', 'text/plain', 'CHAPTER II. The Pool of Tears', 'nine feet high'],
    ['analytical-engine.md', 'text/markdown', 'Cycles', 'b[m] = Fraction(1, m + 1)\n'],
    ['gettysburg.html', 'text/html', 'Now we are engaged', '| Abraham Lincoln | 2       |'],
    ['walden.pdf', 'application/pdf', 'The Ponds', 'sixty-one and a half acres'],
    [
      'frankenstein.docx',
      'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
      'Letter 2',
      '| Letter 2 | Archangel       |',
    ],
  ])('%s is %s, with its headings as sections', async (name, mediaType, title, text) => {
    const document = await readFixture(name);
    expect(document.mediaType).toBe(mediaType);
    expect(document.sections.find((section) => section.title === title)?.source).toContain(text);
    expect(await readFixture(name)).toEqual(document);
  });

  test('is told by the content, not by the name', async () => {
    expect((await read(await readFile(fixturePath('walden.pdf')), 'notes.txt')).mediaType).toBe(
      'application/pdf',
    );
    expect((await read('Only words.', 'paper.pdf')).mediaType).toBe('text/plain');
  });

  test('a text is one although it begins like a picture or a program', async () => {
    expect(await wholeOf('BMW is the name of a maker of cars.')).toBe('BMW is the name of a maker of cars.');
    expect(await wholeOf('MZ was another.')).toBe('MZ was another.');
  });

  test.each([
    ['picture.png', 'image/png'],
    ['picture.png', 'text, Markdown, HTML, PDF and DOCX'],
  ])('%s is refused as %s', async (name, message) => {
    await expect(readFixture(name)).rejects.toMatchObject({
      reason: 'unsupported',
      message: expect.stringContaining(message) as string,
    });
  });

  test('what looks like text and is none is refused', async () => {
    for (const content of [
      '{\\rtf1 Hello}',
      '%!PS-Adobe-3.0\nshowpage',
      Buffer.from([1, 2, 3, 0, 255, 254, 7]),
    ])
      await expect(read(content)).rejects.toMatchObject({ reason: 'unsupported' });
  });
});

describe('a file that cannot be read says why', () => {
  test.each([
    ['empty.txt', 'The file is empty.'],
    ['walden-encrypted.pdf', 'The PDF is encrypted: a password is needed to read it.'],
    ['walden-scanned.pdf', 'The PDF has scanned pages only: no text was found in it.'],
    ['walden-broken.pdf', 'The PDF is broken.'],
  ])('%s: %s', async (name, message) => {
    await expect(readFixture(name)).rejects.toMatchObject({ reason: 'unreadable', message });
  });

  test('white space alone, an empty page, and no letters at all', async () => {
    for (const content of [
      ' \n\n\t ',
      '<!doctype html><html><body><script>let a = 1;</script></body></html>',
      '---',
    ])
      await expect(read(content)).rejects.toMatchObject({
        reason: 'unreadable',
        message: 'No text was found in the file.',
      });
  });

  test('a Word document with a password, a broken one, and one of old', async () => {
    const oldOffice = Buffer.from('d0cf11e0a1b11ae1', 'hex');
    const locked = Buffer.concat([oldOffice, Buffer.alloc(600), Buffer.from('EncryptedPackage', 'utf16le')]);
    await expect(read(locked)).rejects.toMatchObject({
      reason: 'unreadable',
      message: expect.stringContaining('encrypted') as string,
    });
    await expect(read(Buffer.concat([oldOffice, Buffer.alloc(600)]))).rejects.toMatchObject({
      reason: 'unsupported',
      message: expect.stringContaining('.docx') as string,
    });
    const docx = await readFile(fixturePath('frankenstein.docx'));
    await expect(read(docx.subarray(0, docx.length - 400))).rejects.toMatchObject({
      reason: 'unreadable',
      message: 'The Word document is broken.',
    });
  });
});

describe('encodings', () => {
  const text = 'Ein König, dessen Töchter waren alle schön: „so schön“, sagte die Sonne.';

  test.each(['utf8', 'utf-16le', 'utf-16be', 'utf-32le'] as const)(
    '%s with a byte order mark',
    async (encoding) => {
      expect(await wholeOf(iconv.encode(text, encoding, { addBOM: true }))).toBe(text);
    },
  );

  test.each(['utf8', 'utf-16le', 'utf-16be', 'windows-1252'] as const)('%s without one', async (encoding) => {
    expect(await wholeOf(iconv.encode(text, encoding))).toBe(text);
  });

  test('the fixtures in Latin-1 and UTF-16', async () => {
    const [grimm, verne] = [
      await readFixture('froschkoenig-latin1.txt'),
      await readFixture('verne-utf16le.txt'),
    ];
    expect(grimm.sections[0]?.source).toContain('ein großer dunkler Wald');
    expect(verne.sections[0]).toMatchObject({ title: 'Chapitre premier — Un écueil fuyant' });
    expect(verne.sections[0]?.source).toContain('« une chose énorme »');
  });

  test('a page is decoded as it says of itself', async () => {
    const page = '<!doctype html><meta charset="windows-1251"><p>Привет, мир</p>';
    expect(await wholeOf(iconv.encode(page, 'windows-1251'))).toBe('Привет, мир');
  });

  test('Cyrillic and Japanese are guessed from the bytes', async () => {
    const russian =
      'Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему. '.repeat(
        3,
      );
    const japanese = '吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。'.repeat(3);
    expect(await wholeOf(iconv.encode(russian, 'windows-1251'))).toContain('счастливые семьи');
    expect(await wholeOf(iconv.encode(japanese, 'shift_jis'))).toContain('吾輩は猫である');
  });

  test('lines end in one way, and nothing that Postgres cannot hold is left', async () => {
    expect(await wholeOf('one\r\ntwo\rthree')).toBe('one\ntwo\nthree');
  });
});

test('of a page neither scripts, styles nor pictures are read', async () => {
  const all = JSON.stringify(await readFixture('gettysburg.html'));
  for (const none of ['never read', 'color: black', 'tracker.example', 'a picture of the field'])
    expect(all).not.toContain(none);
});

test('of a PDF neither running heads nor page numbers are read, wherever the file has them', async () => {
  const { sections } = await readFixture('walden.pdf');
  expect(sections.map(({ title }) => title)).toEqual([
    'Economy',
    'Where I Lived, and What I Lived For',
    'The Ponds',
    'Conclusion',
  ]);
  const lines = sections.flatMap(({ source }) => source.split('\n'));
  expect(lines.filter((line) => line === 'Walden' || /^\d$/.test(line))).toEqual([]);
});
