import fc, { type Arbitrary } from 'fast-check';
import { z } from 'zod';

/** What of JSON Schema our schemas use. */
interface JsonSchema {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  minimum?: number;
  maximum?: number;
  $ref?: string;
}

/** Texts that have broken programs before. */
export const nastyText: Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '\0',
    'a\0b',
    '\ud800',
    'x\udfff',
    '__proto__',
    'constructor',
    'toString',
    '0-0',
    '99999999999999999999-99999999999999999999',
    '18446744073709551615-18446744073709551615',
    "'; drop table users; --",
    '%00',
    '../../etc/passwd',
    '${7*7}',
    'conversation:',
    'user:',
    'NaN',
    '-1',
    '1e309',
    '\u202e\ufeff\u2028',
    '🧵'.repeat(40),
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.integer({ min: 1000, max: 12_000 }).map((length) => 'x'.repeat(length)),
);

/** Any JSON, from plain to absurd. */
export const wild: Arbitrary<unknown> = fc.oneof(
  nastyText,
  fc.constantFrom(null, true, false, 0, -1, 0.5, 2 ** 31, 2 ** 53, -(2 ** 53), 1e308, [], {}, [[]], [null]),
  fc.integer({ min: 2, max: 60 }).map((depth) => nested(depth)),
  fc.constant(JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}')),
  fc.jsonValue({ maxDepth: 3 }),
);

/** Arrays in arrays. */
function nested(depth: number): unknown {
  let value: unknown = [];
  for (let i = 1; i < depth; i++) value = [value];
  return value;
}

/** Values of a schema: good ones, good ones with one place spoilt, and anything at all. */
export function arbitraryOf(schema: z.ZodType): Arbitrary<unknown> {
  const good = fromJsonSchema(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema);
  return fc.oneof({ weight: 4, arbitrary: good }, { weight: 4, arbitrary: spoilt(good) }, wild);
}

function fromJsonSchema(schema: JsonSchema): Arbitrary<unknown> {
  if ('const' in schema) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const forms = schema.anyOf ?? schema.oneOf;
  if (forms) return fc.oneof(...forms.map(fromJsonSchema));
  if (schema.allOf) return fromJsonSchema(Object.assign({}, ...schema.allOf) as JsonSchema);
  switch (schema.type) {
    case 'string': {
      const minLength = schema.minLength ?? 0;
      const maxLength = Math.min(schema.maxLength ?? 60, minLength + 60);
      return fc.oneof(
        fc.string({ unit: 'grapheme', minLength, maxLength: Math.max(minLength, Math.floor(maxLength / 8)) }),
        fc.string({ minLength, maxLength }),
        fc.uuid(),
      );
    }
    case 'integer':
      return fc.integer(bounds(schema));
    case 'number':
      return fc.double({ ...bounds(schema), noNaN: true });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.array(fromJsonSchema(schema.items ?? {}), { minLength: schema.minItems ?? 0, maxLength: 4 });
    case 'object':
      if (!schema.properties)
        return fc.dictionary(fc.string({ maxLength: 20 }), fc.jsonValue({ maxDepth: 2 }));
      return fc.record(
        Object.fromEntries(
          Object.entries(schema.properties).map(([key, inner]) => [key, fromJsonSchema(inner)]),
        ),
        { requiredKeys: schema.required ?? [] },
      );
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

const bounds = ({ minimum = -1000, maximum = 1000 }: JsonSchema) => ({
  min: Math.max(minimum, -1e6),
  max: Math.min(maximum, 1e6),
});

/** The same values with one of their places put wrong. */
const spoilt = (good: Arbitrary<unknown>): Arbitrary<unknown> =>
  fc.tuple(good, fc.nat(), wild).map(([value, at, intruder]) => {
    const paths = pathsOf(value);
    return withAt(value, paths[at % paths.length] ?? [], intruder);
  });

function pathsOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key]))];
}

function withAt(value: unknown, [key, ...rest]: string[], intruder: unknown): unknown {
  if (key === undefined || typeof value !== 'object' || value === null) return intruder;
  const replace = (inner: unknown, name: string) => (name === key ? withAt(inner, rest, intruder) : inner);
  if (Array.isArray(value)) return value.map((inner: unknown, i) => replace(inner, String(i)));
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, replace(inner, name)]));
}
