/** Where an answer about a document cites one of its sections. */
export interface Citation {
  /** Of the section, from 0. */
  index: number;
  /** Of the mark in the text, in UTF-16 code units. */
  start: number;
  end: number;
}

const markPattern = /\[\u00A7 ?\d{1,6}(?:[,;] ?\u00A7? ?\d{1,6})*\]/g;

/** How a section is cited: `[§3]` is the section with index 2, since people count from 1. */
export const citationMark = (index: number): string => `[\u00A7${index + 1}]`;

/** The citations in an answer about a document, in order; a mark of several sections is one for each. */
export function citationsIn(text: string, sectionsTotal: number): Citation[] {
  return [...text.matchAll(markPattern)].flatMap((mark) => {
    const start = mark.index;
    return [...mark[0].matchAll(/\d+/g)]
      .map(([number]) => ({ index: Number(number) - 1, start, end: start + mark[0].length }))
      .filter(({ index }) => index >= 0 && index < sectionsTotal);
  });
}
