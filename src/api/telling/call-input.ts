import { parseStorable } from '../../domain/storable.js';
import { canonicalJson } from '../../lib/canonical-json.js';

/** Whether two texts are JSON of the same value; no text is an empty input. What is no JSON is compared as it is. */
export function isSameInput(a: string, b: string): boolean {
  if (a === b) return true;
  try {
    return canonicalJson(parseStorable(a || '{}')) === canonicalJson(parseStorable(b || '{}'));
  } catch {
    return false;
  }
}

/**
 * What makes the beginning of an input, as the model has written it, the whole of it, which was stored as a value and so
 * need not come back letter by letter. Undefined: nothing does.
 */
export function restOfInput(told: string, whole: string): string | undefined {
  if (whole.startsWith(told)) return whole.slice(told.length);
  if (isSameInput(told, whole)) return '';
  const compact = withoutSpace(told);
  if (!whole.startsWith(compact)) return undefined;
  const rest = whole.slice(compact.length);
  return isSameInput(told + rest, whole) ? rest : undefined;
}

/** Without the space between the tokens of JSON; the text may end anywhere. */
const withoutSpace = (json: string): string =>
  json.replace(/("(?:[^"\\]|\\.)*"?)|\s+/gs, (_all, text: string | undefined) => text ?? '');
