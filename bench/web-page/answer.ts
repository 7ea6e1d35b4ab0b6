/** Words of one chapter of the answer. */
export const chapterWords = 1000;

const words =
  'the export service reads row after row from the cursor and writes every line into the response without a look at what the socket says so that each stalled download keeps its share of memory until the reader goes on or goes away'.split(
    ' ',
  );

/** So many words of prose, some of them set off as people do. */
function prose(count: number, from: number): string {
  return Array.from({ length: count }, (_, n) => {
    const word = words[(from + n) % words.length] ?? '';
    if (n % 23 === 11) return `**${word}**`;
    if (n % 31 === 17) return `\`${word}\``;
    if (n % 47 === 29) return `[${word}](https://example.org/${n})`;
    return n % 13 === 12 ? `${word}.` : word;
  }).join(' ');
}

const list = (from: number): string =>
  Array.from({ length: 6 }, (_, n) => `- ${prose(12, from + n * 5)}`).join('\n');

const table = (from: number): string =>
  [
    '| Place | Held | Until |',
    '| --- | --- | --- |',
    ...Array.from({ length: 6 }, (_, n) => `| ${prose(3, from + n)} | ${n} MB | ${prose(4, from + n)} |`),
  ].join('\n');

const code = (from: number): string =>
  [
    `\`\`\`ts export-${from}.ts`,
    `export async function export${from}(rows: AsyncIterable<Row>, res: ServerResponse): Promise<void> {`,
    ...Array.from({ length: 14 }, (_, n) => `  if (!res.write(toLine(rows[${n}], "${n}"))) await once(res);`),
    '}',
    '```',
  ].join('\n');

const count = (text: string): number => text.match(/\S+/g)?.length ?? 0;

/** What a chapter ends with. */
export const endOf = (number: number): string => `That was chapter ${number + 1}.`;

/** A chapter of a thousand words: the same kinds of blocks in the same order in every one, with words of its own. */
export function chapter(number: number): string {
  const from = number * 7;
  const blocks = [
    `## Chapter ${number + 1}: ${prose(4, from)}`,
    prose(90, from),
    list(from),
    prose(110, from + 3),
    code(number * 2),
    prose(80, from + 5),
    table(from),
    prose(120, from + 8),
    `> ${prose(40, from)}`,
    code(number * 2 + 1),
  ];
  const end = endOf(number);
  const rest = chapterWords - count([...blocks, end].join('\n\n'));
  for (let left = rest, n = 0; left > 0; left -= 100, n += 1)
    blocks.push(prose(Math.min(left, 100), from + n));
  return `${[...blocks, end].join('\n\n')}\n\n`;
}

/** A text in pieces of so many words. */
export const inChunks = (text: string, wordsEach: number): string[] =>
  text.match(new RegExp(`(?:\\s*\\S+){1,${wordsEach}}\\s*`, 'g')) ?? [];
