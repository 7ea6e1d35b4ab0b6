import { expect, test } from 'vitest';
import { pdfBlocks, type PdfLine } from '../../../src/reading/pdf-blocks.js';

const lines = (...given: [text: string, size?: number, gap?: number, left?: number][]): PdfLine[] => {
  let bottom = 800;
  return given.map(([text, size = 10, gap = 12, left = 72]) => ({
    text,
    size,
    left,
    bottom: (bottom -= gap),
  }));
};
const texts = (...pages: PdfLine[][]) =>
  pdfBlocks(pages).map(({ kind, text }) => (kind === 'text' ? text : `${kind}: ${text}`));

test('lines are joined to paragraphs, and divided words made whole', () => {
  expect(texts(lines(['A sen-'], ['tence goes on'], ['here.'], ['A new one', 10, 30]))).toEqual([
    'A sentence goes on here.',
    'A new one',
  ]);
});

test('a hyphen before a capital letter stays', () => {
  expect(texts(lines(['the Anglo-'], ['Saxon']))).toEqual(['the Anglo- Saxon']);
});

test('an indented line begins a paragraph', () => {
  expect(texts(lines(['One.'], ['Two.', 10, 12, 90], ['still two.', 10, 12, 72]))).toEqual([
    'One.',
    'Two. still two.',
  ]);
});

test('what is larger than the text is a heading, the largest the highest', () => {
  expect(texts(lines(['Book', 24], ['Chapter', 14], ['Text of it, longer than the rest.']))).toEqual([
    'heading: # Book',
    'heading: ## Chapter',
    'Text of it, longer than the rest.',
  ]);
});

test('a sentence goes on overleaf', () => {
  expect(texts(lines(['It did not']), lines(['end there.'], ['Next', 10, 40]))).toEqual([
    'It did not end there.',
    'Next',
  ]);
  expect(texts(lines(['It ended.']), lines(['next page']))).toEqual(['It ended.', 'next page']);
});

test('of few pages nothing is taken for a running head', () => {
  expect(texts(lines(['Same.']), lines(['Same.']), lines(['Same.']))).toHaveLength(3);
});

test('heads and feet go, wherever they stand in the file; a line of the text that is like them stays', () => {
  const page = (n: number) => {
    const [head, ...text] = lines(['Head'], ['Head', 10, 40], [`Text of page ${n}.`, 10, 40]);
    return [...text, ...(head ? [head] : []), { text: String(n), size: 10, left: 300, bottom: 30 }];
  };
  expect(texts(page(1), page(2), page(3), page(4))).toEqual(
    [1, 2, 3, 4].flatMap((n) => ['Head', `Text of page ${n}.`]),
  );
});
