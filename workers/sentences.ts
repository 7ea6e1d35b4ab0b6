/**
 * Where sentences of Markdown end, while it is being written. The rules of Unicode (UAX #29, by `Intl.Segmenter`) make
 * the cuts; those that fall into abbreviations, numbers, addresses and code are taken back. Every line ends a sentence.
 * In doubt a sentence is rather too long than too short.
 */

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Longest sentence and longest block of code, in UTF-16 code units; longer ones are cut. */
const maxProse = 4000;
const maxCode = 32_000;
/** How far is looked past them to see whether a cut is good. */
const lookAhead = 64;

/** Titles and the like: a name or a word of the same sentence follows. */
const abbreviations = new Set(
  (
    'dr mr mrs ms prof st sr jr mt gen col lt sgt capt cpt maj rev hon gov sen rep pres messrs mme mlle hr fr dipl ' +
    'ing vs cf viz incl excl inkl exkl bzw evtl ggf vgl resp approx dept est al'
  ).split(' '),
);
/** Abbreviations before a number. */
const beforeNumbers = new Set(
  (
    'no nos nr fig figs eq eqs sec ch chap vol art p pp pg ca ver v tel ext abs bd jan feb mar apr jun jul aug sep ' +
    'sept oct nov dec'
  ).split(' '),
);

/** The fence of the code that the text is in, kept from sentence to sentence. */
export class Fence {
  #mark: string | undefined;
  /** What has been looked at and is no closing fence, in UTF-16 code units from the sentence's beginning. */
  seen = 0;

  /** The characters that it is made of: at least as many of them close it. */
  get mark(): string | undefined {
    return this.#mark;
  }

  open(mark: string): void {
    this.#mark = mark;
  }

  close(): void {
    this.#mark = undefined;
    this.seen = 0;
  }

  closes(line: string): boolean {
    const mark = /^[\s>]*(`{3,}|~{3,})\s*$/.exec(line)?.[1];
    return mark !== undefined && this.#mark !== undefined && mark.startsWith(this.#mark);
  }
}

/** Where the first sentence of a text ends, its white space included; undefined: what follows has to decide. */
export function nextSentence(text: string, fence: Fence, isWhole: boolean): number | undefined {
  if (text === '') return undefined;
  if (fence.mark !== undefined) return endOfCode(text, fence, isWhole);
  const view = text.slice(0, maxProse + lookAhead);
  const first = view.search(/\S/);
  const newline = first < 0 ? -1 : view.indexOf('\n', first);
  const line = newline < 0 ? view : view.slice(0, newline + 1);
  const lineIsWhole = newline >= 0 || (isWhole && view.length === text.length);
  const mark = openingFence(line);
  if (mark !== undefined) {
    if (!lineIsWhole) return tooLong(text, view);
    fence.open(mark);
    fence.seen = line.length;
    return endOfCode(text, fence, isWhole);
  }
  const end = endInLine(line, lineIsWhole);
  if (typeof end === 'number') return end > maxProse ? cutAt(view, maxProse) : end;
  if (end === 'open' || newline < 0) return isWhole && view === text ? text.length : tooLong(text, view);
  return line.length > maxProse ? cutAt(view, maxProse) : withEmptyLines(text, line.length, isWhole);
}

const tooLong = (text: string, view: string) =>
  text.length >= maxProse + lookAhead ? cutAt(view, maxProse) : undefined;

/** The characters of the fence that a line opens. */
function openingFence(line: string): string | undefined {
  const [, mark, info = ''] = /^[\s>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(`{3,}|~{3,})([^\n]*)/.exec(line) ?? [];
  return mark?.startsWith('`') && info.includes('`') ? undefined : mark;
}

/** Where code ends that the text is in: behind the line that closes it. */
function endOfCode(text: string, fence: Fence, isWhole: boolean): number | undefined {
  const view = text.slice(0, maxCode);
  while (fence.seen < view.length) {
    const newline = view.indexOf('\n', fence.seen);
    if (newline < 0 && !(isWhole && view === text)) break;
    const end = newline < 0 ? view.length : newline + 1;
    if (fence.closes(view.slice(fence.seen, end))) {
      const behind = withEmptyLines(text, end, isWhole);
      if (behind !== undefined) fence.close();
      return behind;
    }
    fence.seen = end;
  }
  if (text.length >= maxCode + lookAhead) {
    const end =
      fence.seen > 0 && fence.seen <= maxCode
        ? fence.seen
        : cutAt(text.slice(0, maxCode + lookAhead), maxCode);
    fence.seen = 0;
    return end;
  }
  return isWhole ? text.length : undefined;
}

/** The end with the empty lines that follow it; undefined: more of them may follow. */
function withEmptyLines(text: string, end: number, isWhole: boolean): number | undefined {
  const view = text.slice(end, end + lookAhead);
  const space = /^\s*/.exec(view)?.[0] ?? '';
  if (space.length === view.length && view.length < lookAhead) return isWhole ? text.length : undefined;
  return end + space.lastIndexOf('\n') + 1;
}

/**
 * Where the first sentence of a line ends before the line does. `whole`: nowhere; `open`: what follows has to decide.
 */
function endInLine(line: string, isWhole: boolean): number | 'whole' | 'open' {
  if (!/\p{Sentence_Terminal}/u.test(line)) return 'whole';
  const start = line.search(/\S/);
  for (const { index, segment } of segmenter.segment(line)) {
    const end = index + segment.length;
    if (end <= start) continue;
    if (end >= line.length) break;
    const verdict = judge(line, end, isWhole);
    if (verdict === undefined) return 'open';
    if (verdict !== 'no') return verdict;
  }
  return 'whole';
}

/** Where the sentence ends for which Unicode's rules say `at`; `no`: it goes on; undefined: not known yet. */
function judge(line: string, at: number, isWhole: boolean): number | 'no' | undefined {
  const end = behindMarks(line, at);
  const after = line.slice(end);
  // Unicode's rules look ahead to the next letter, and so does what follows here.
  if (!isWhole && !/[\p{L}\p{Sentence_Terminal}]/u.test(after)) return undefined;
  const before = line.slice(0, end);
  const ended = before.trimEnd();
  const isSpaced = ended.length < before.length;
  const terminator = /([.?!…])["'”’»)\]*_~`]*$/u.exec(ended)?.[1];
  if (terminator !== undefined) {
    if (!isSpaced || /^[^\p{L}\p{N}\p{Sentence_Terminal}]*\p{Ll}/u.test(after)) return 'no';
    if (terminator === '.' && isAbbreviation(ended, after)) return 'no';
  }
  const code = inCode(line, end, isWhole);
  return code === 'outside' ? end : code;
}

/** Markup that closes behind a terminator, and the space behind it, belong to the sentence: `**Bold.** Next`. */
function behindMarks(line: string, at: number): number {
  if (/\s/u.test(line.charAt(at - 1))) return at;
  return at + (/^["'”’»)\]*_~`]+\s+/u.exec(line.slice(at))?.[0].length ?? 0);
}

function isAbbreviation(ended: string, after: string): boolean {
  // The number of a list's item.
  if (/^[\s>]*(?:[-*+]\s+)?\d{1,9}\.$/.test(ended)) return true;
  const word = /([\p{L}\p{M}.]+)\.["'”’»)\]*_~`]*$/u.exec(ended)?.[1];
  if (word === undefined) return false;
  // Initials: J. S. Bach, U.S., z.B., e.g.
  if (/(?:^|\.)\p{L}\p{M}*$/u.test(word) && word !== 'I') return true;
  const lower = word.toLowerCase();
  return abbreviations.has(lower) || (beforeNumbers.has(lower) && /^\d/.test(after));
}

/** `no`: within a span of code; undefined: not known yet. */
function inCode(line: string, at: number, isWhole: boolean): 'no' | 'outside' | undefined {
  let open: string | undefined;
  for (const [run] of line.slice(0, at).matchAll(/`+/g)) {
    if (open === undefined) open = run;
    else if (open === run) open = undefined;
  }
  if (open === undefined) return 'outside';
  // A run at the end of what is there may grow.
  const runs = line.slice(at).matchAll(isWhole ? /`+/g : /`+(?=[^`])/g);
  if (Array.from(runs, ([run]) => run).includes(open)) return 'no';
  return isWhole ? 'outside' : undefined;
}

/** The last boundary between characters, as people see them, at or before `at`. */
function cutAt(text: string, at: number): number {
  const start = graphemes.segment(text).containing(at)?.index ?? at;
  if (start > 0) return start;
  return text.slice(0, at).isWellFormed() ? at : at - 1;
}
