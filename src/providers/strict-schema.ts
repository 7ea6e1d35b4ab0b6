const keywords = new Set([
  ...[
    '$defs',
    '$ref',
    'additionalProperties',
    'anyOf',
    'const',
    'description',
    'enum',
    'items',
    'properties',
  ],
  ...['required', 'title', 'type'],
]);

/**
 * Whether a JSON Schema keeps the rules under which OpenAI and Mistral hold a model to it to the letter: every object
 * closed, all of its properties required, and only the keywords that they know. Others they refuse in strict mode.
 * See https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
 */
export function isStrictSchema(schema: Record<string, unknown>): boolean {
  return schema.type === 'object' && !('anyOf' in schema) && isStrict(schema);
}

function isStrict(schema: unknown): boolean {
  if (!isRecord(schema) || !Object.keys(schema).every((key) => keywords.has(key))) return false;
  const { properties = {}, required = [], additionalProperties, $defs = {}, items, anyOf = [] } = schema;
  if (!isRecord(properties) || !isRecord($defs) || !Array.isArray(required) || !Array.isArray(anyOf))
    return false;
  const names = Object.keys(properties);
  const isObject = schema.type === 'object' || names.length > 0;
  if (isObject && (additionalProperties !== false || !names.every((name) => required.includes(name))))
    return false;
  const inner = [...Object.values(properties), ...Object.values($defs), ...(anyOf as unknown[])];
  return [...inner, ...(items === undefined ? [] : [items])].every(isStrict);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
