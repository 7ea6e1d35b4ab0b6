import type { ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

export type Json = Record<string, unknown>;

/** Checks values against the schemas of an OpenAPI or AsyncAPI document, and refuses what those do not tell of. */
export class DocumentValidator {
  readonly #ajv = new Ajv2020({ strict: false, inlineRefs: false, code: { optimize: false } });
  readonly #compiled = new Map<string, ValidateFunction>();

  constructor(document: Json) {
    addFormats.default(this.#ajv);
    this.#ajv.addSchema(closed(document) as Json, 'document');
  }

  /** What is wrong with a value, in a line; undefined: nothing. `schema` is one of the document's. */
  problemOf(schema: unknown, value: unknown): string | undefined {
    const key = JSON.stringify(schema);
    const validate = this.#compiled.get(key) ?? this.#ajv.compile(rooted(closed(schema)) as Json);
    this.#compiled.set(key, validate);
    return validate(value) ? undefined : this.#ajv.errorsText(validate.errors);
  }
}

/** The same with every object closed that names its fields: answers have none that are not told of. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, closed(inner)]));
  return copy.type === 'object' && copy.properties && copy.additionalProperties === undefined
    ? { ...copy, additionalProperties: false }
    : copy;
}

/** References within the document as such from outside of it. */
function rooted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rooted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === '$ref' && typeof inner === 'string' ? `document${inner}` : rooted(inner),
    ]),
  );
}
