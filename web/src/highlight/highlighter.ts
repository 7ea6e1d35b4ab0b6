import { TreeFragment, type Parser, type Tree } from '@lezer/common';
import { highlightCode, tagHighlighter, tags } from '@lezer/highlight';

/** A piece of code of one look; `kind` is a class of the style sheet, empty for plain text. */
export interface Token {
  text: string;
  kind: string;
}

/** The tokens of one line. The same array for as long as the line reads the same. */
export type Line = readonly Token[];

const kinds = tagHighlighter([
  {
    tag: [tags.keyword, tags.modifier, tags.operatorKeyword, tags.self, tags.null, tags.bool, tags.atom],
    class: 'kw',
  },
  {
    tag: [tags.string, tags.special(tags.string), tags.regexp, tags.attributeValue, tags.character],
    class: 'str',
  },
  {
    tag: [
      tags.function(tags.variableName),
      tags.function(tags.propertyName),
      tags.function(tags.definition(tags.variableName)),
      tags.standard(tags.variableName),
      tags.attributeName,
      tags.macroName,
    ],
    class: 'fn',
  },
  {
    tag: [tags.typeName, tags.className, tags.namespace, tags.tagName, tags.definition(tags.typeName)],
    class: 'type',
  },
  { tag: [tags.number, tags.unit, tags.color], class: 'num' },
  { tag: [tags.comment, tags.meta, tags.processingInstruction], class: 'comment' },
  { tag: tags.variableName, class: 'name' },
  { tag: tags.function(tags.definition(tags.propertyName)), class: 'method' },
]);

/**
 * Reads code that grows: what was read before is kept as far as it still holds, so that a token more costs a token, not
 * the whole block; lines that did not change stay the same objects.
 */
export class Highlighter {
  #code = '';
  #tree: Tree | undefined;
  #lines: readonly Line[] = [];

  constructor(private readonly parser: Parser) {}

  /** How the code was read that `lines` was called with last. */
  get tree(): Tree | undefined {
    return this.#tree;
  }

  lines(code: string): readonly Line[] {
    if (this.#tree && code === this.#code) return this.#lines;
    const tree = this.parser.parse(code, this.#fragments(code));
    const lines: Token[][] = [[]];
    highlightCode(
      code,
      tree,
      kinds,
      (text, kind) => lines.at(-1)?.push({ text, kind: looks[kind]?.(text) ?? kind }),
      () => lines.push([]),
    );
    this.#lines = lines.map((line, index) => {
      const before = this.#lines[index];
      return before && isSame(before, line) ? before : line;
    });
    this.#code = code;
    this.#tree = tree;
    return this.#lines;
  }

  /** What of the tree of before is good for code that begins like its code. */
  #fragments(code: string): readonly TreeFragment[] {
    if (!this.#tree || !code.startsWith(this.#code)) return [];
    const from = this.#code.length;
    return TreeFragment.applyChanges(TreeFragment.addTree(this.#tree), [
      { fromA: from, toA: from, fromB: from, toB: code.length },
    ]);
  }
}

/** What a word says by itself where the grammar does not tell more. */
const looks: Partial<Record<string, (text: string) => string>> = {
  // No grammar knows what a name stands for; by custom those of classes begin with a capital.
  name: (text) => (/^[A-Z][A-Za-z0-9]*[a-z]/.test(text) ? 'type' : ''),
  // A word of the language, though the grammar takes it for a method like others.
  method: (text) => (text === 'constructor' ? 'kw' : 'fn'),
};

const isSame = (a: Line, b: Line): boolean =>
  a.length === b.length &&
  a.every(({ text, kind }, index) => text === b[index]?.text && kind === b[index].kind);
