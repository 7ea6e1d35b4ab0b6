type Schema = Record<string, unknown>;

/** Below this depth only what the schema requires is made, so that recursive schemas end. */
const maxDepth = 6;

/**
 * A value that is valid for a JSON Schema, as plausible as a look at names and the question allows. Knows types, `enum`,
 * `const`, `default`, `examples`, local `$ref`, `allOf`, `anyOf`, `oneOf`, bounds and the usual formats; not `pattern`.
 */
export function demoSample(schema: Schema, question: string): unknown {
  return sample(schema, { root: schema, question, name: '', depth: 0 });
}

interface Context {
  root: Schema;
  question: string;
  /** Of the property that the value is for. */
  name: string;
  depth: number;
}

function sample(schema: Schema, context: Context): unknown {
  if ('const' in schema) return schema.const;
  if (Array.isArray(schema.enum)) return mentioned(schema.enum, context.question) ?? schema.enum[0];
  if (context.depth > 4 * maxDepth) return null;
  const deeper = { ...context, depth: context.depth + 1 };
  if (typeof schema.$ref === 'string') return sample(resolve(schema.$ref, context.root), deeper);
  if (Array.isArray(schema.allOf)) {
    const parts = schema.allOf.map(schemaOf).map((part) => flat(part, context.root));
    return sample(parts.reduce(merge, { ...schema, allOf: undefined }), deeper);
  }
  for (const choice of [schema.anyOf, schema.oneOf]) {
    if (Array.isArray(choice))
      return sample(merge({ ...schema, anyOf: undefined, oneOf: undefined }, schemaOf(choice[0])), deeper);
  }
  if ('default' in schema) return schema.default;
  if (Array.isArray(schema.examples) && schema.examples.length) return schema.examples[0] as unknown;

  switch (typeOf(schema)) {
    case 'object':
      return objectSample(schema, deeper);
    case 'array':
      return arraySample(schema, deeper);
    case 'integer':
      return numberSample(schema, 1);
    case 'number':
      return numberSample(schema, 0.5);
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return stringSample(schema, context);
  }
}

function objectSample(schema: Schema, context: Context): Schema {
  const properties = Object.entries(schemaOf(schema.properties));
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  return Object.fromEntries(
    properties
      .filter(([name]) => context.depth <= maxDepth || required.has(name))
      .map(([name, property]) => [name, sample(schemaOf(property), { ...context, name })]),
  );
}

function arraySample(schema: Schema, context: Context): unknown[] {
  const least = count(schema.minItems) ?? 0;
  const wanted = context.depth > maxDepth ? least : Math.max(least, Math.min(2, count(schema.maxItems) ?? 2));
  const items = Array.from({ length: wanted }, (_, index) => {
    const item = sample(schemaOf(schema.items), context);
    return schema.uniqueItems && index > 0 && typeof item === 'string' ? `${item} ${index + 1}` : item;
  });
  return schema.uniqueItems ? [...new Set(items)] : items;
}

function numberSample(schema: Schema, step: number): number {
  const unit = count(schema.multipleOf) ?? step;
  const least = count(schema.minimum) ?? (count(schema.exclusiveMinimum) ?? 0) + unit;
  const most = count(schema.maximum) ?? (count(schema.exclusiveMaximum) ?? Infinity) - unit;
  const value = Math.ceil(least / unit) * unit;
  return Math.min(value, most);
}

const formats: Record<string, string> = {
  date: '2026-01-15',
  time: '09:30:00Z',
  'date-time': '2026-01-15T09:30:00Z',
  duration: 'PT1H',
  email: 'ada@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  uuid: '01890a5d-ac96-774b-bcce-b302099a8057',
};

function stringSample(schema: Schema, { name, question }: Context): string {
  const format = typeof schema.format === 'string' ? formats[schema.format] : undefined;
  const text = format ?? guess(name, question) ?? (name ? `A sample of ${name}` : 'A sample');
  const padded = text.padEnd(count(schema.minLength) ?? 0, '.');
  return padded.slice(0, count(schema.maxLength) ?? padded.length);
}

/** What the question may have said for a property of this name. */
function guess(name: string, question: string): string | undefined {
  if (/expression|formula|calculation/i.test(name)) {
    return /-?[\d.(][\d\s.+*/()^%-]*[\d)]/.exec(question)?.[0].trim() ?? '6 * 7';
  }
  if (/city|location|place/i.test(name)) {
    return /\b(?:in|at|for|of)\s+(\p{Lu}[\p{L}'’-]*(?:\s\p{Lu}[\p{L}'’-]*)*)/u.exec(question)?.[1] ?? 'Paris';
  }
  if (/^(query|question|prompt|search)$/i.test(name) && question) return question;
  return undefined;
}

function mentioned(values: unknown[], question: string): unknown {
  const asked = question.toLowerCase();
  return values.find((value) => typeof value === 'string' && value && asked.includes(value.toLowerCase()));
}

function typeOf(schema: Schema): unknown {
  const type: unknown = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  return type ?? (schema.properties ? 'object' : schema.items ? 'array' : 'string');
}

function resolve(reference: string, root: Schema): Schema {
  const steps = reference.replace(/^#\/?/, '').split('/').filter(Boolean);
  return steps.reduce<Schema>(
    (schema, step) => schemaOf(schema[decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')]),
    root,
  );
}

function flat(schema: Schema, root: Schema): Schema {
  return typeof schema.$ref === 'string' ? resolve(schema.$ref, root) : schema;
}

function merge(one: Schema, other: Schema): Schema {
  return {
    ...one,
    ...other,
    ...((one.properties ?? other.properties) !== undefined && {
      properties: { ...schemaOf(one.properties), ...schemaOf(other.properties) },
    }),
  };
}

function schemaOf(value: unknown): Schema {
  return typeof value === 'object' && value !== null ? (value as Schema) : {};
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
