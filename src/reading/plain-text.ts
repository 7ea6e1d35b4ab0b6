import { heading, textBlock, type Block } from './block.js';

const maxTitleLength = 80;

const named =
  /^(chapter|part|book|section|act|scene|appendix|article|canto|letter|volume|kapitel|teil|abschnitt|chapitre|partie|cap[ií]tulo|parte|hoofdstuk)\b/i;
const alone =
  /^(introduction|preface|foreword|prologue|epilogue|summary|abstract|background|methods?|results|discussion|conclusions?|references|contents|einleitung|vorwort|zusammenfassung)[.:]?$/i;
const roman = /^(?=[IVXLC])(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})\.?$/;
const numbered = /^(\d{1,3}(\.\d{1,3}){0,4}\.?|[IVXLC]{1,7}\.)\s+\p{Lu}/u;

/** The blocks of a text without markup: paragraphs, and lines that stand alone and read like headings. */
export function readPlainText(text: string): Block[] {
  return text.split(/\n[^\S\n]*(?:\n[^\S\n]*)+|\f/).flatMap((part) => {
    const paragraph = part.replace(/^\n+|\s+$/g, '');
    if (paragraph.trim() === '') return [];
    const level = headingLevel(paragraph.trim());
    return [
      level === undefined ? textBlock(paragraph) : heading(level, paragraph.trim().replace(/\s+/g, ' ')),
    ];
  });
}

function headingLevel(line: string): number | undefined {
  if (line.length > maxTitleLength || line.split('\n').length > 2 || /[,;]$/.test(line)) return undefined;
  if (named.test(line) || alone.test(line) || roman.test(line))
    return /^(part|book|volume|teil|partie|parte)\b/i.test(line) ? 1 : 2;
  if (/[.!?]$/.test(line.replace(/\.$/, ''))) return undefined;
  if (numbered.test(line) && !/[.!?]$/.test(line))
    return 2 + (/^[\d.]+/.exec(line)?.[0].match(/\.\d/g)?.length ?? 0);
  const letters = line.match(/\p{L}/gu)?.length ?? 0;
  return letters >= 4 && letters >= line.length / 2 && !/\p{Ll}/u.test(line) && /\p{Lu}/u.test(line)
    ? 2
    : undefined;
}
