/** The code of a fenced block. */
export interface CodePiece {
  kind: 'code';
  code: string;
  /** The language, as the fence names it. */
  fence: string | undefined;
  /** The file, where the fence names it behind the language. */
  file: string | undefined;
  /** Whether its end is yet to be written. */
  open: boolean;
}

/** A piece of a text: as it was written, or a fenced block. */
export type Piece = { kind: 'text'; text: string } | CodePiece;

const block =
  /^ {0,3}(?<marks>`{3,}|~{3,})[ \t]*(?<fence>[^\s`]*)[ \t]*(?<info>[^\n`]*)\n(?<code>[\s\S]*?)(?:(?<end>^ {0,3}\k<marks>[`~]*[ \t]*$)|(?![\s\S]))/gm;

/** A text cut at its fenced blocks. One that is still open reaches to the end. */
export function splitFences(text: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  const addText = (from: number, to: number) => {
    const between = text.slice(from, to).replace(/^\n+|\n+$/g, '');
    if (between) pieces.push({ kind: 'text', text: between });
  };
  for (const match of text.matchAll(block)) {
    const { fence, info = '', code = '', end: closing } = match.groups ?? {};
    addText(end, match.index);
    const open = closing === undefined;
    pieces.push({
      kind: 'code',
      // The first marks of the end are not code.
      code: code.replace(open ? /\n[`~]*$/ : /\n$/, ''),
      fence: fence === '' ? undefined : fence,
      file: /\S+/.exec(info)?.[0],
      open,
    });
    end = match.index + match[0].length;
  }
  addText(end, text.length);
  return pieces;
}

/** What a text says beside its code, and whether that is where it goes on. */
export function proseOf(text: string): { shown: string; isOpen: boolean } {
  const pieces = splitFences(text);
  const last = pieces.at(-1);
  const shown = pieces.flatMap((piece) => (piece.kind === 'text' ? [piece.text] : [])).join('\n\n');
  return { shown, isOpen: last?.kind !== 'code' || !last.open };
}
