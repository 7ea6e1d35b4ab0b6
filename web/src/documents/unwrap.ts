/** Narrower ones are verse, lists and the like; wider ones were broken for another reason. */
const [minWidth, maxWidth] = [50, 100];
/** So many of a text's breaks, but those before items of lists, have to be where a word did not fit: then it was wrapped. */
const wrappedShare = 2 / 3;

/**
 * A text whose lines were broken to fit a width, each paragraph in one line again. What was broken for another reason,
 * such as verse, stays as it is.
 */
export function unwrap(text: string): string {
  const lines = text.split('\n');
  const width = lines.reduce((longest, line) => Math.max(longest, line.length), 0);
  if (width < minWidth || width > maxWidth) return text;
  let breaks = 0;
  let forced = 0;
  const joined = lines.reduce((before, line, i) => {
    const last = lines[i - 1] ?? '';
    if (last.trim() === '' || line.trim() === '' || item.test(line)) return `${before}\n${line}`;
    breaks += 1;
    const isForced = indentOf(last) === indentOf(line) && last.length + 1 + firstWord(line).length > width;
    if (!isForced) return `${before}\n${line}`;
    forced += 1;
    return before + (/\p{L}-$/u.test(last) ? '' : ' ') + line.trimStart();
  });
  return breaks > 0 && forced >= breaks * wrappedShare ? joined : text;
}

const item = /^\s*([-*•–]|\(?\d+[.)])\s/;

const indentOf = (line: string): number => line.length - line.trimStart().length;

const firstWord = (line: string): string => /\S+/.exec(line)?.[0] ?? '';
