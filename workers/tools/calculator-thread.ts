import { all, create, type FactoryFunctionMap, type MathNode } from 'mathjs';
import { inThread } from '../../src/lib/in-thread.js';

/** Works out expressions, in a thread of its own. */

const precision = 64;
const math = create(all as FactoryFunctionMap, { number: 'BigNumber', precision });

const functions = new Set([
  ...[
    'abs',
    'cbrt',
    'ceil',
    'exp',
    'factorial',
    'fix',
    'floor',
    'gcd',
    'hypot',
    'lcm',
    'log',
    'log10',
    'log2',
    'max',
  ],
  ...['mean', 'median', 'min', 'mod', 'nthRoot', 'pow', 'round', 'sign', 'sqrt', 'std', 'sum', 'variance'],
  ...[
    'acos',
    'acosh',
    'asin',
    'asinh',
    'atan',
    'atan2',
    'atanh',
    'cos',
    'cosh',
    'sin',
    'sinh',
    'tan',
    'tanh',
  ],
]);
const constants = new Set(['pi', 'e', 'tau', 'phi', 'true', 'false', 'Infinity']);

/** Digits of a fraction that are told. */
const digits = 20;

export type Calculated = { result: string } | { problem: string };

/** Nothing but numbers, operators and the functions above: no variables, matrices, strings, units or functions of its own. */
export default inThread((expression: string): Calculated => {
  try {
    const node = math.parse(expression);
    check(node);
    const value: unknown = node.evaluate();
    // Whole numbers are exact up to the precision.
    if (math.isBigNumber(value) && value.isInteger() && value.e < precision)
      return { result: value.toFixed() };
    return { result: math.format(value, { precision: digits, lowerExp: -9, upperExp: 21 }) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
});

function check(root: MathNode): void {
  root.traverse((node, _path, parent) => {
    if (!isAllowed(node, parent)) throw new Error(`"${node.toString().slice(0, 100)}" is not allowed here`);
  });
}

function isAllowed(node: MathNode, parent: MathNode | null): boolean {
  if (math.isConstantNode(node)) return typeof node.value !== 'string';
  if (math.isFunctionNode(node)) return math.isSymbolNode(node.fn) && functions.has(node.fn.name);
  if (math.isSymbolNode(node))
    return constants.has(node.name) || (math.isFunctionNode(parent) && functions.has(node.name));
  return (
    math.isOperatorNode(node) ||
    math.isParenthesisNode(node) ||
    math.isConditionalNode(node) ||
    math.isRelationalNode(node)
  );
}
