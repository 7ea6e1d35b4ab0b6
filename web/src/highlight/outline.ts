import type { SyntaxNode, SyntaxNodeRef, Tree } from '@lezer/common';

/** Something that code defines, and where. */
export interface OutlineEntry {
  label: string;
  /** From 1. */
  line: number;
  /** How deep it stands in others. */
  depth: number;
}

interface Definition {
  /** Before the name, empty for what is called. */
  word: string;
  /** The nodes that may hold the name, the first one found. */
  names: readonly string[];
  /** Behind the name. */
  mark?: '()';
}

const callable = (...names: string[]): Definition => ({ word: '', names, mark: '()' });
const type = (word: string, ...names: string[]): Definition => ({ word, names });

/** By the node's name, in all grammars together: where two share a name, they mean the same. */
const definitions: Readonly<Record<string, Definition>> = {
  ClassDeclaration: type('class', 'VariableDefinition', 'Definition'),
  ClassDefinition: type('class', 'VariableName'),
  ConstructorDeclaration: callable('Definition'),
  EnumDeclaration: type('enum', 'TypeDefinition', 'Definition'),
  EnumItem: type('enum', 'TypeIdentifier'),
  FunctionDecl: callable('DefName'),
  FunctionDeclaration: callable('VariableDefinition'),
  FunctionDefinition: callable('VariableName'),
  FunctionItem: callable('BoundIdentifier'),
  ImplItem: type('impl', 'TypeIdentifier', 'GenericType'),
  InterfaceDeclaration: type('interface', 'TypeDefinition', 'Definition'),
  MethodDecl: callable('FieldName'),
  MethodDeclaration: callable('PropertyDefinition', 'PrivatePropertyDefinition', 'Definition'),
  NamespaceDeclaration: type('namespace', 'VariableDefinition'),
  RecordDeclaration: type('record', 'Definition'),
  StructItem: type('struct', 'TypeIdentifier'),
  TraitItem: type('trait', 'TypeIdentifier'),
  TypeAliasDeclaration: type('type', 'TypeDefinition'),
  TypeSpec: type('type', 'DefName'),
};

const imports = new Set(['ImportDecl', 'ImportDeclaration', 'ImportStatement', 'UseDeclaration']);
/** What is defined in the body of a function is nobody's business but its own. */
const bodies = new Set(['Block', 'BlockStatement', 'Body']);

/** The classes, functions and methods of code, in their order; imports as one. */
export function outlineOf(tree: Tree, code: string): OutlineEntry[] {
  const entries: OutlineEntry[] = [];
  const lines = new LineCounter(code);
  let depth = 0;
  let hasImports = false;
  const enter = (node: SyntaxNodeRef): boolean => {
    if (imports.has(node.name)) {
      if (!hasImports) entries.push({ label: 'imports', line: lines.at(node.from), depth: 0 });
      hasImports = true;
      return false;
    }
    const definition = definitions[node.name] ?? functionOf(node);
    if (definition) {
      const name = nameIn(node.node, definition, code);
      if (name && name !== 'constructor') {
        const label = `${definition.word} ${name}${definition.mark ?? ''}`.trimStart();
        entries.push({ label, line: lines.at(node.from), depth });
      }
      depth += 1;
    }
    return !(bodies.has(node.name) && isOfFunction(node.node));
  };
  tree.iterate({
    enter,
    leave: (node) => {
      if (definitions[node.name] ?? functionOf(node)) depth -= 1;
    },
  });
  return entries;
}

/** `const name = () => …` at the top is a function, too. */
function functionOf(node: SyntaxNodeRef): Definition | undefined {
  if (node.name !== 'VariableDeclaration') return undefined;
  const isFunction = node.node.getChild('ArrowFunction') ?? node.node.getChild('FunctionExpression');
  return isFunction ? callable('VariableDefinition') : undefined;
}

function nameIn(node: SyntaxNode, { names }: Definition, code: string): string | undefined {
  const found = names.map((name) => node.getChild(name)).find((child) => child !== null);
  return found ? code.slice(found.from, found.to) : undefined;
}

function isOfFunction(body: SyntaxNode): boolean {
  const { parent } = body;
  return parent !== null && (definitions[parent.name]?.mark === '()' || parent.name === 'ArrowFunction');
}

/** Lines of positions that only grow. */
class LineCounter {
  #at = 0;
  #line = 1;

  constructor(private readonly code: string) {}

  at(position: number): number {
    for (; this.#at < position; this.#at += 1) if (this.code[this.#at] === '\n') this.#line += 1;
    return this.#line;
  }
}
