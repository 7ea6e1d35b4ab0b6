/** Makes the binary files of test/fixtures, from texts in the public domain: `node --import tsx scripts/make-fixtures.ts`. */
import { writeFile } from 'node:fs/promises';
import { crc32, deflateSync } from 'node:zlib';
import { Document, HeadingLevel, Packer, Paragraph, Table, TableCell, TableRow, TextRun } from 'docx';
import { makePdf, makeScannedPdf, type Chapter } from '../test/support/pdf-file.js';

const folder = new URL('../test/fixtures/', import.meta.url);
const save = (name: string, bytes: Uint8Array) => writeFile(new URL(name, folder), bytes);

/** Henry David Thoreau, Walden (1854). */
const walden: Chapter[] = [
  {
    title: 'Economy',
    paragraphs: [
      'When I wrote the following pages, or rather the bulk of them, I lived alone, in the woods, a mile from any neighbor, in a house which I had built myself, on the shore of Walden Pond, in Concord, Massachusetts, and earned my living by the labor of my hands only. I lived there two years and two months. At present I am a sojourner in civilized life again.',
      'The mass of men lead lives of quiet desperation. What is called resignation is confirmed desperation. From the desperate city you go into the desperate country, and have to console yourself with the bravery of minks and muskrats.',
      'Near the end of March, 1845, I borrowed an axe and went down to the woods by Walden Pond, nearest to where I intended to build my house, and began to cut down some tall, arrowy white pines, still in their youth, for timber. The house cost $28.12½ in all.',
    ],
  },
  {
    title: 'Where I Lived, and What I Lived For',
    paragraphs: [
      'I went to the woods because I wished to live deliberately, to front only the essential facts of life, and see if I could not learn what it had to teach, and not, when I came to die, discover that I had not lived.',
      'Our life is frittered away by detail. An honest man has hardly need to count more than his ten fingers, or in extreme cases he may add his ten toes, and lump the rest. Simplicity, simplicity, simplicity! I say, let your affairs be as two or three, and not a hundred or a thousand.',
    ],
  },
  {
    title: 'The Ponds',
    paragraphs: [
      'The scenery of Walden is on a humble scale, and, though very beautiful, does not approach to grandeur, nor can it much concern one who has not long frequented it or lived by its shore. It is a clear and deep green well, half a mile long and a mile and three quarters in circumference, and contains about sixty-one and a half acres.',
      'A lake is the landscape’s most beautiful and expressive feature. It is earth’s eye; looking into which the beholder measures the depth of his own nature.',
    ],
  },
  {
    title: 'Conclusion',
    paragraphs: [
      'I left the woods for as good a reason as I went there. Perhaps it seemed to me that I had several more lives to live, and could not spare any more time for that one.',
      'If a man does not keep pace with his companions, perhaps it is because he hears a different drummer. Let him step to the music which he hears, however measured or far away.',
    ],
  },
];

/** Mary Shelley, Frankenstein (1818). */
function frankenstein(): Promise<Buffer> {
  const paragraph = (text: string) => new Paragraph({ children: [new TextRun(text)] });
  const row = (...cells: string[]) =>
    new TableRow({ children: cells.map((text) => new TableCell({ children: [paragraph(text)] })) });
  const document = new Document({
    creator: 'Tokencast',
    sections: [
      {
        children: [
          new Paragraph({ text: 'Frankenstein; or, the Modern Prometheus', heading: HeadingLevel.TITLE }),
          paragraph('The letters with which the story begins, shortened.'),
          new Paragraph({ text: 'Letter 1', heading: HeadingLevel.HEADING_1 }),
          paragraph('St. Petersburgh, Dec. 11th, 17—. To Mrs. Saville, England.'),
          paragraph(
            'You will rejoice to hear that no disaster has accompanied the commencement of an enterprise which you have regarded with such evil forebodings. I arrived here yesterday, and my first task is to assure my dear sister of my welfare.',
          ),
          new Paragraph({ text: 'Letter 2', heading: HeadingLevel.HEADING_1 }),
          paragraph(
            'How slowly the time passes here, encompassed as I am by frost and snow! Yet a second step is taken towards my enterprise. I have hired a vessel and am occupied in collecting my sailors.',
          ),
          new Table({
            rows: [row('letter', 'place'), row('Letter 1', 'St. Petersburgh'), row('Letter 2', 'Archangel')],
          }),
          new Paragraph({ text: 'Letter 3', heading: HeadingLevel.HEADING_1 }),
          paragraph(
            'I write a few lines in haste to say that I am safe—and well advanced on my voyage. Several things are aboard:',
          ),
          new Paragraph({ text: 'floating sheets of ice', bullet: { level: 0 } }),
          new Paragraph({ text: 'no incidents that would make a figure in a letter', bullet: { level: 0 } }),
        ],
      },
    ],
  });
  return Packer.toBuffer(document);
}

/** A grey picture with lines, as PNG (https://www.w3.org/TR/png-3/). */
function greyPng(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head[8] = 8; // bits; the colour type 0 is grey
  const rows = Array.from({ length: height }, (_, y) => Buffer.alloc(width + 1, y % 12 < 2 ? 60 : 250));
  for (const row of rows) row[0] = 0; // no filter
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(Buffer.concat(rows))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

const picture = greyPng(120, 160);
const pdf = await makePdf('Walden', walden, { pagePerChapter: true });
await save('walden.pdf', pdf);
await save('walden-broken.pdf', pdf.subarray(0, 400));
await save('walden-encrypted.pdf', await makePdf('Walden', walden, { password: 'simplicity' }));
await save('walden-scanned.pdf', await makeScannedPdf(picture, 2));
await save('picture.png', picture);
await save('frankenstein.docx', await frankenstein());
