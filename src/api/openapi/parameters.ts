import { inlineSchema, type JsonSchema } from './json-schemas.js';
import { ids } from './examples.js';
import type { Caller, Operation, RequestHeader } from './operation.js';

/** What stands in a request's path, query and headers, and what lets it in. */

export const securitySchemes = {
  session: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'From `POST /v1/sessions`, or the host application’s.',
  },
  streamToken: {
    type: 'apiKey',
    in: 'query',
    name: 'access_token',
    description: 'Of event streams alone: a browser’s EventSource sends no headers. Never logged.',
  },
  operator: { type: 'http', scheme: 'bearer', description: '`ADMIN_TOKEN`.' },
  operatorPassword: { type: 'http', scheme: 'basic', description: 'Any name, and `ADMIN_TOKEN`.' },
} as const;

/** Any one of them is enough; none: nothing is needed. */
export function securityOf(caller: Caller): Partial<Record<keyof typeof securitySchemes, []>>[] {
  switch (caller) {
    case 'anyone':
      return [];
    case 'session':
      return [{ session: [] }];
    case 'stream':
      return [{ session: [] }, { streamToken: [] }];
    case 'operator':
      return [{ operator: [] }, { operatorPassword: [] }];
  }
}

const text: JsonSchema = { type: 'string' };

/** Those of paths. What `{id}` is an id of, the path says. */
const pathParameters: Record<string, { schema: JsonSchema; description?: string; example: unknown }> = {
  userId: { schema: text, example: ids.user },
  token: { schema: text, description: 'The invitation’s.', example: 'u0hPqXb3l6k1mZ2v' },
  index: { schema: { type: 'integer', minimum: 0 }, description: 'The section’s.', example: 0 },
};

const things = {
  conversations: ids.conversation,
  messages: ids.prompt,
  generations: ids.generation,
  documents: ids.document,
  webhooks: ids.webhook,
} as const;

const headers: Record<RequestHeader, { description: string; schema: JsonSchema }> = {
  'Idempotency-Key': {
    description:
      'Makes sending again safe: for 24 h the same key with the same body answers the first acceptance again.',
    schema: { ...text, minLength: 1, maxLength: 255 },
  },
  Prefer: {
    description:
      '`wait=<seconds>`, at most 50: answers when the generation has ended. Leaving early cancels nothing.',
    schema: text,
  },
  'Last-Event-ID': {
    description:
      'The last event that was seen: what came after it follows. Without, the first event is `snapshot`.',
    schema: text,
  },
};

export function parametersOf({ path, query, headers: named = [] }: Operation): object[] {
  const inPath = [...path.matchAll(/([^/]+)\/\{(\w+)\}/g)].map(([, before = '', name = '']) => ({
    name,
    in: 'path',
    required: true,
    ...(pathParameters[name] ?? {
      schema: { type: 'string', format: 'uuid' },
      example: things[before as keyof typeof things],
    }),
  }));
  const inHeaders = named.map((name) => ({ name, in: 'header', ...headers[name] }));
  return [...inPath, ...(query ? queryParameters(inlineSchema(query)) : []), ...inHeaders];
}

function queryParameters({ properties = {}, required = [] }: JsonSchema): object[] {
  return Object.entries(properties as Record<string, JsonSchema>).map(
    ([name, { description, ...schema }]) => ({
      name,
      in: 'query',
      ...((required as string[]).includes(name) && { required: true }),
      ...(description !== undefined && { description }),
      schema,
    }),
  );
}
