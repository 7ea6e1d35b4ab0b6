import { errorCodes, type ErrorCode } from '../../domain/errors.js';
import { notOfDocuments, type ConversationBodies } from '../../wire/http.js';
import { componentsOf, refTo, type JsonSchema } from './json-schemas.js';
import { answerSchemas, bodySchemas } from './named-schemas.js';
import { problemsOf, tags, type AnswerDoc, type BodyDoc, type Operation } from './operation.js';
import { operationsOf } from './operations.js';
import { webhooksSection } from './webhooks-section.js';
import { parametersOf, securityOf, securitySchemes } from './parameters.js';

const json = 'application/json';

/**
 * The HTTP API as OpenAPI 3.1 tells it, made from the schemas that requests are checked with: `bodies` have the limits
 * of the settings.
 */
export function openApiDocument(bodies: ConversationBodies, version: string) {
  const sent = bodySchemas(bodies);
  const names = new Map(
    Object.entries({ ...answerSchemas, ...sent }).map(([name, schema]) => [schema, name]),
  );
  const refOf = (schema: AnswerDoc['schema'] & object): JsonSchema => {
    const name = names.get(schema as never);
    if (name === undefined) throw new Error('a schema of an operation has no name');
    return refTo(name);
  };

  const toAnswer = (told: AnswerDoc | readonly AnswerDoc[]) => {
    const docs = isList(told) ? told : [told];
    return {
      description: docs.map(({ description }) => description).join(' Or: '),
      ...headersOf(docs),
      ...(docs.some(({ schema }) => schema) && {
        content: Object.fromEntries(
          docs.flatMap(({ schema, mediaType = json, example, events }) =>
            schema
              ? [
                  [
                    mediaType,
                    {
                      schema: events
                        ? { type: 'string', contentMediaType: mediaType, contentSchema: refOf(schema) }
                        : refOf(schema),
                      ...(example !== undefined && { example }),
                    },
                  ],
                ]
              : [],
          ),
        ),
      }),
    };
  };

  const toBody = ({ schema, mediaType = json, examples, required = true }: BodyDoc) => ({
    required,
    content: {
      [mediaType]: {
        schema: refOf(schema),
        examples,
        ...(mediaType === 'multipart/form-data' && { encoding: { options: { contentType: json } } }),
      },
    },
  });

  const toOperation = (operation: Operation) => ({
    operationId: operation.id,
    tags: [operation.tag],
    summary: operation.summary,
    ...(operation.description !== undefined && { description: operation.description }),
    security: securityOf(operation.caller),
    parameters: parametersOf(operation),
    ...(operation.body && { requestBody: toBody(operation.body) }),
    responses: {
      ...Object.fromEntries(
        Object.entries(operation.answers).map(([status, docs]) => [status, toAnswer(docs ?? [])]),
      ),
      ...problemAnswers(problemsOf(operation)),
    },
  });

  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operationsOf(sent))
    (paths[operation.path] ??= {})[operation.method] = toOperation(operation);

  return {
    openapi: '3.1.1',
    info: {
      title: 'Tokencast',
      version,
      summary: 'Queue-backed broadcast streaming for language models.',
      description:
        'JSON in camelCase; times ISO 8601, UTC; ids UUIDv7. Errors are `application/problem+json` (RFC 9457) with a ' +
        '`code` to tell them apart by. Answers may gain fields. Every answer has an `X-Request-Id`.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    // As seen from where the document is.
    servers: [{ url: '/' }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths,
    webhooks: webhooksSection(),
    components: { schemas: componentSchemas(sent), securitySchemes },
  };
}

function componentSchemas(sent: ReturnType<typeof bodySchemas>): Record<string, JsonSchema> {
  const components = componentsOf({ ...answerSchemas, ...sent });
  const { properties } = components.GenerationOptions as { properties: Record<string, JsonSchema> };
  const ofDocuments = Object.entries(properties).filter(
    ([name]) => !notOfDocuments.some((no) => no === name),
  );
  components.DocumentOptions = {
    type: 'object',
    properties: Object.fromEntries(ofDocuments),
    additionalProperties: false,
  };
  return components;
}

const isList = (docs: AnswerDoc | readonly AnswerDoc[]): docs is readonly AnswerDoc[] => Array.isArray(docs);

const answerHeaders = {
  Location: 'Where what was made is.',
  'Idempotency-Replayed': '`true`: the acceptance of an earlier request with the same `Idempotency-Key`.',
  'Preference-Applied': 'How long was waited, at most.',
  'Content-Disposition': 'The name of the file.',
} as const;

function headersOf(docs: readonly AnswerDoc[]): object {
  const names = new Set(docs.flatMap(({ headers = [] }) => headers));
  if (names.size === 0) return {};
  const told = [...names].map(
    (name) => [name, { description: answerHeaders[name], schema: { type: 'string' } }] as const,
  );
  return { headers: Object.fromEntries<object>(told) };
}

/** One answer for each status, with the codes that it stands for. */
function problemAnswers(codes: readonly ErrorCode[]): Record<string, unknown> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { status } = errorCodes[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, ofStatus]) => [
      status,
      {
        description: ofStatus.map((code) => `\`${code}\``).join(', '),
        ...((status === 429 || status === 503) && {
          headers: { 'Retry-After': { description: 'In seconds.', schema: { type: 'string' } } },
        }),
        content: {
          'application/problem+json': {
            schema: { allOf: [refTo('Problem'), { properties: { code: { enum: ofStatus } } }] },
            examples: Object.fromEntries(ofStatus.map((code) => [code, { value: problemExample(code) }])),
          },
        },
      },
    ]),
  );
}

function problemExample(code: ErrorCode) {
  const { status, title } = errorCodes[code];
  return { type: `urn:tokencast:error:${code}`, title, status, detail: `${title}.`, code };
}
