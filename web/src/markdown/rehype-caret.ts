import type { ExtraProps } from 'react-markdown';

type Element = NonNullable<ExtraProps['node']>;
type Node = Element['children'][number] | { type: 'doctype' };

/** Marks the element that holds the last written word with `data-caret`: the caret is drawn behind its text. */
export function rehypeCaret() {
  return (tree: { children: Node[] }): void => {
    const element = lastWritten(tree.children);
    if (element) element.properties.dataCaret = '';
  };
}

/** Inside these the caret would take the look of the word; it stands behind them instead. */
const inline = new Set(['a', 'code', 'del', 'em', 'strong']);

function lastWritten(nodes: readonly Node[]): Element | undefined {
  for (const node of nodes.toReversed()) {
    if (node.type !== 'element') continue;
    if (inline.has(node.tagName)) continue;
    const inner = lastWritten(node.children);
    if (inner) return inner;
    if (node.tagName === 'pre') return codeOf(node) ?? node;
    if (node.children.some(holdsWords)) return node;
  }
  return undefined;
}

function codeOf(pre: Element): Element | undefined {
  const code = pre.children.find((child) => child.type === 'element');
  const text = code?.children.at(-1);
  // The line break that ends every code block would put the caret on a line of its own.
  if (text?.type === 'text') text.value = text.value.replace(/\n$/, '');
  return code;
}

const holdsWords = (node: Node): boolean =>
  (node.type === 'text' && node.value.trim() !== '') || (node.type === 'element' && inline.has(node.tagName));
