/** Text as JSON in Postgres and every client can hold it: NUL and lone surrogates become U+FFFD. */
export const storableText = (text: string): string => text.toWellFormed().replaceAll('\0', '\uFFFD');

/** Any value of JSON so that it can be stored, names included. */
export function storable(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value);
  if (Array.isArray(value)) return value.map(storable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [storableText(key), storable(inner)]),
  );
}

/** The escapes that may stand for what cannot be stored. */
const suspicious = /\\u(0000|d[89a-f])/i;

/** Deeper values would exhaust the stack of whoever walks them. */
const maxDepth = 100;

/** Reads JSON that somebody else wrote. @throws SyntaxError; RangeError where it is nested more than 100 deep */
export function parseStorable(json: string): unknown {
  const value: unknown = JSON.parse(json);
  if (json.length > maxDepth && isDeeper(value, maxDepth))
    throw new RangeError(`nested deeper than ${maxDepth} levels`);
  return suspicious.test(json) ? storable(value) : value;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}
