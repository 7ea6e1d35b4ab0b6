import { z } from 'zod';

/** A schema as OpenAPI 3.1 and AsyncAPI 3 take it: JSON Schema 2020-12. */
export type JsonSchema = Record<string, unknown>;

/** Where both documents keep the schemas that have a name. */
const componentUri = (name: string): string => `#/components/schemas/${name}`;

export const refTo = (name: string): JsonSchema => ({ $ref: componentUri(name) });

/** Schemas by their names in a document. */
export type NamedSchemas = Readonly<Record<string, z.ZodType>>;

const override: Required<z.core.ToJSONSchemaParams>['override'] = ({ zodSchema, jsonSchema }) => {
  const { def } = zodSchema._zod;
  // What is bounded in its size before it is looked at begins as anything at all: told is what is behind that.
  if (def.type === 'pipe' && jsonSchema.type === undefined) {
    const { in: before, out } = def;
    if (before._zod.def.type === 'unknown') {
      Object.assign(jsonSchema, inlineSchema(out));
    }
  }
  // The format says it, in fewer words.
  if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
  // JSON Schema knows no empty list of places.
  if (Array.isArray(jsonSchema.prefixItems) && jsonSchema.prefixItems.length === 0) {
    delete jsonSchema.prefixItems;
    jsonSchema.maxItems = 0;
  }
};

/** As clients write it, and read it: what has a default may be left out, and answers may gain fields. */
const parameters = { io: 'input', unrepresentable: 'any', override } as const;

/** The JSON Schemas of schemas that refer to each other, by `$ref`. */
export function componentsOf(schemas: NamedSchemas): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const { schemas: made } = z.toJSONSchema(registry, { ...parameters, uri: componentUri });
  return Object.fromEntries(Object.entries(made).map(([name, schema]) => [name, withoutHead(schema)]));
}

/** The JSON Schema of one that nobody refers to. */
export function inlineSchema(schema: z.core.$ZodType): JsonSchema {
  return withoutHead(z.toJSONSchema(schema, parameters));
}

/** A part of a document is of the document's dialect, and has its name there. */
function withoutHead(schema: object): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$schema' && key !== '$id'));
}
