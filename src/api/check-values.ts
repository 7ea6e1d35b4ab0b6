import { AppError } from '../domain/errors.js';

const maxDepth = 32;

/** An array or object of the body; its path is put together only when there is something to say about it. */
interface Place {
  value: object;
  key: string;
  parent: Place | undefined;
  depth: number;
}

/**
 * Refuses what no field of a body may hold: text that is not well-formed Unicode or has a NUL, and nesting so deep that
 * recursive readers would fail on it. Walks without recursion, and quickly, since everybody waits for it.
 *
 * @throws AppError invalid_request
 */
export function checkValues(body: unknown): void {
  const left: Place[] = [];
  const visit = (value: unknown, key: string | number, parent: Place | undefined) => {
    if (typeof value === 'string') checkText(value, key, parent);
    if (typeof value !== 'object' || value === null) return;
    const place = { value, key: String(key), parent, depth: parent ? parent.depth + 1 : 0 };
    if (place.depth > maxDepth) throw refused(place, `must not be nested deeper than ${maxDepth} levels`);
    left.push(place);
  };
  visit(body, '', undefined);
  for (let place = left.pop(); place; place = left.pop()) {
    if (Array.isArray(place.value)) {
      for (let i = 0; i < place.value.length; i++) visit(place.value[i], i, place);
    } else {
      for (const [key, value] of Object.entries(place.value)) {
        checkText(key, key, place);
        visit(value, key, place);
      }
    }
  }
}

function checkText(text: string, key: string | number, parent: Place | undefined): void {
  const fault = text.includes('\0')
    ? 'must not contain NUL'
    : text.isWellFormed()
      ? undefined
      : 'must be well-formed Unicode';
  if (fault) throw refused({ key: String(key), parent }, fault);
}

function refused(place: Pick<Place, 'key' | 'parent'>, message: string): AppError {
  const keys: string[] = [];
  for (let at: typeof place | undefined = place; at; at = at.parent) if (at.key) keys.unshift(at.key);
  const path = keys.join('.').toWellFormed().replaceAll('\0', '\uFFFD').slice(0, 200);
  return new AppError('invalid_request', `${path}: ${message}.`, { errors: [{ path, message }] });
}
