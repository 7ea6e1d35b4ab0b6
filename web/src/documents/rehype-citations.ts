import type { ExtraProps } from 'react-markdown';
import { citationsIn } from '../../../src/client/index.js';

type Element = NonNullable<ExtraProps['node']>;
type Child = Element['children'][number];
type Node = Child | { type: 'doctype' };

/** Makes a `cite` of each mark such as `[§3, §7]`, with the indexes that it names in `data-sections`. */
export function rehypeCitations(sectionsTotal: number) {
  return (tree: { children: Node[] }): void => {
    tree.children = tree.children.flatMap((node) => marked(node, sectionsTotal));
  };
}

/** Code is shown as it is. */
const verbatim = new Set(['code', 'pre', 'a']);

function marked<T extends Node>(node: T, total: number): (T | Child)[] {
  if (node.type === 'text') return split(node.value, total) ?? [node];
  if (node.type === 'element' && !verbatim.has(node.tagName))
    node.children = node.children.flatMap((child) => marked(child, total));
  return [node];
}

function split(text: string, total: number): Child[] | null {
  const citations = citationsIn(text, total);
  if (citations.length === 0) return null;
  const marks = new Map<number, { end: number; sections: number[] }>();
  for (const { index, start, end } of citations) {
    const mark = marks.get(start) ?? { end, sections: [] };
    mark.sections.push(index);
    marks.set(start, mark);
  }
  const parts: Child[] = [];
  let at = 0;
  for (const [start, { end, sections }] of marks) {
    if (start > at) parts.push({ type: 'text', value: text.slice(at, start) });
    parts.push({
      type: 'element',
      tagName: 'cite',
      properties: { dataSections: sections.join(' ') },
      children: [{ type: 'text', value: text.slice(start, end) }],
    });
    at = end;
  }
  if (at < text.length) parts.push({ type: 'text', value: text.slice(at) });
  return parts;
}
