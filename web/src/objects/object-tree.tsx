import { useState, type ReactNode } from 'react';
import type { StructuredObject } from '../../../src/client/index.js';
import { counted } from '../lib/format.js';
import { isBranch, nodesOf, propertiesOf, type Schema, type TreeNode } from './tree-node.js';
import './object-tree.css';

interface ObjectTreeProps {
  objects: readonly StructuredObject[];
  /** What the objects are to be, where the question said so. */
  schema: Schema | null;
}

/** Objects as trees of names and values. What is not written yet is named, as far as the schema tells. */
export default function ObjectTree({ objects, schema }: ObjectTreeProps) {
  const [folds, setFolds] = useState<ReadonlyMap<string, boolean>>(new Map());
  const title = typeof schema?.title === 'string' ? schema.title : 'object';
  const toggle = (path: string, open: boolean) => {
    setFolds((before) => new Map(before).set(path, open));
  };
  return (
    <div className="object-tree" data-testid="object-tree">
      {objects.map(({ value, complete }, index) => (
        <ul key={index}>
          <Node
            node={{
              name: objects.length > 1 ? `${title} ${index + 1}` : title,
              path: String(index),
              value,
              schema,
              growing: !complete,
              last: index === objects.length - 1,
            }}
            nameWidth={0}
            folds={folds}
            toggle={toggle}
          />
        </ul>
      ))}
    </div>
  );
}

interface NodeProps {
  node: TreeNode;
  /** Of the longest name beside it that has a plain value, in characters: values stand in a column. */
  nameWidth: number;
  folds: ReadonlyMap<string, boolean>;
  toggle: (path: string, open: boolean) => void;
}

function Node({ node, nameWidth, folds, toggle }: NodeProps) {
  const { name, path, value, growing, last } = node;
  if (!isBranch(value)) {
    return (
      <li className="leaf">
        <span className="tree-name" style={{ minWidth: `${nameWidth}ch` }}>
          {name}
        </span>
        <Value value={value} growing={growing} />
      </li>
    );
  }
  const children = nodesOf(node, value);
  const missing = growing ? propertiesOf(node.schema).filter((one) => !Object.hasOwn(value, one)) : [];
  // Only the last of a list stands open by itself: that is where it grows.
  const open = folds.get(path) ?? last;
  const width = Math.max(0, ...children.filter((one) => !isBranch(one.value)).map((one) => one.name.length));
  return (
    <li>
      <button
        type="button"
        className="branch"
        aria-expanded={open}
        onClick={() => {
          toggle(path, !open);
        }}
      >
        <span className="tree-mark" aria-hidden data-text={open ? '▾' : '▸'} />
        <span className="tree-name">{name}</span>
        <Note>{open ? sizeWords(value, growing) : preview(value)}</Note>
      </button>
      {open && (
        <ul>
          {children.map((child) => (
            <Node key={child.path} node={child} nameWidth={width} folds={folds} toggle={toggle} />
          ))}
          {!Array.isArray(value) &&
            missing.map((one) => (
              <li key={one} className="leaf missing">
                <span className="tree-mark" aria-hidden data-text="·" />
                <span className="tree-name">{one}</span>
                <Note>not yet</Note>
              </li>
            ))}
        </ul>
      )}
    </li>
  );
}

const Note = ({ children }: { children: ReactNode }) =>
  children !== '' && <span className="tree-note">{children}</span>;

function Value({ value, growing }: { value: unknown; growing: boolean }) {
  return (
    <span className={`tok-${kindOf(value)}`} data-caret={growing ? '' : undefined}>
      {JSON.stringify(value)}
    </span>
  );
}

function kindOf(value: unknown): string {
  if (typeof value === 'string') return 'str';
  return typeof value === 'number' ? 'num' : 'kw';
}

/** Of lists alone: what objects have is to be seen. */
function sizeWords(value: object, growing: boolean): string {
  if (!Array.isArray(value)) return '';
  return growing ? `${value.length} so far` : counted(value.length, 'item');
}

const shownNames = 5;

function preview(value: object): string {
  if (Array.isArray(value)) return `[ ${counted(value.length, 'item')} ]`;
  const names = Object.keys(value);
  return `{ ${names.slice(0, shownNames).join(', ')}${names.length > shownNames ? ', …' : ''} }`;
}
