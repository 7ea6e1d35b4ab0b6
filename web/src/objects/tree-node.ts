/** A JSON Schema, as far as a tree reads it. */
export type Schema = Readonly<Record<string, unknown>>;

/** One value in its place in a tree. */
export interface TreeNode {
  name: string;
  /** Tells it from all others of the tree. */
  path: string;
  value: unknown;
  schema: Schema | null;
  /** Whether more of it is to come. */
  growing: boolean;
  /** Whether it is the last of its list, or in none. */
  last: boolean;
}

export const isBranch = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** The values in an object or list. What grows, grows at its end: all before the last one is whole. */
export function nodesOf({ path, schema, growing }: TreeNode, value: object): TreeNode[] {
  const isList = Array.isArray(value);
  const entries = Object.entries(value);
  return entries.map(([name, child], index): TreeNode => {
    const isLast = index === entries.length - 1;
    return {
      name,
      path: `${path}/${name}`,
      value: child as unknown,
      schema: isList ? asSchema(schema?.items) : asSchema(asSchema(schema?.properties)?.[name]),
      growing: growing && isLast,
      last: !isList || isLast,
    };
  });
}

/** The names that an object of this schema may have. */
export const propertiesOf = (schema: Schema | null): string[] =>
  Object.keys(asSchema(schema?.properties) ?? {});

const asSchema = (value: unknown): Schema | null =>
  isBranch(value) && !Array.isArray(value) ? (value as Schema) : null;
