import type { StructuredObject, Witnessed } from './live-generation.js';

/** Longer texts are shown as they are. */
const maxCharacters = 200_000;

/**
 * The objects that an answer is made of: those that were seen in its events, else those that its whole text holds; null
 * where it is none of objects.
 */
export function structuredObjects(
  { objects }: Pick<Witnessed, 'objects'>,
  text: string,
): readonly StructuredObject[] | null {
  const seen = objects.filter((one) => one !== undefined);
  // Who came late has not seen the first ones; a hole is neither iterated nor counted.
  if (seen.length > 0 && seen.length === objects.length) return seen;
  const values = parseValues(text);
  return values && values.map((value) => ({ value, complete: true }));
}

/** The JSON objects and arrays that a text consists of, one after the other; null where there is anything else in it. */
function parseValues(text: string): unknown[] | null {
  if (text.length > maxCharacters || !/^\s*[[{]/.test(text)) return null;
  const values: unknown[] = [];
  for (let rest = text.trimStart(); rest !== '';) {
    const end = endOfValue(rest);
    const value = end === null ? undefined : parse(rest.slice(0, end));
    if (end === null || value === undefined) return null;
    values.push(value);
    rest = rest.slice(end).replace(/^[\s,]+/, '');
  }
  return values;
}

/** Where the object or array ends with which a text begins. */
function endOfValue(text: string): number | null {
  let depth = 0;
  let isString = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (isString) {
      if (character === '\\') at += 1;
      else if (character === '"') isString = false;
    } else if (character === '"') isString = true;
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    if (depth === 0) return at + 1;
  }
  return null;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return undefined;
  }
}
