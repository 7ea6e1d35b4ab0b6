import { Validator } from '@seriousme/openapi-schema-validator';
import asyncApiSpecs from '@asyncapi/specs';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import type { Router } from 'express';
import { describe, expect, test, vi } from 'vitest';
import { createApp, type AppOptions } from '../../../src/api/app.js';
import { asyncApiDocument, asyncApiServers } from '../../../src/api/openapi/asyncapi-document.js';
import { openApiDocument } from '../../../src/api/openapi/openapi-document.js';
import { createLogger } from '../../../src/lib/logger.js';
import { createEventRoutes } from '../../../src/gateway/sse.js';
import { conversationBodies } from '../../../src/wire/http.js';
import { DocumentValidator, type Json } from '../../support/document-validator.js';

const openApi = openApiDocument(conversationBodies(1000), '1.2.3') as unknown as Json;
const asyncApi = {
  ...asyncApiDocument('1.2.3'),
  servers: asyncApiServers('https://chat.example.com'),
} as Json;

/** Doors that speak other people's languages have documents of their own; so has what shows the queues. */
const foreign = /^\/(anthropic|ai-sdk|admin\/queues)(\/|$)/;

/** `GET /v1/conversations/{id}` of every route of a router and of those that are mounted on it. */
function routesOf(router: Router, mounted = ''): string[] {
  const layers = router.stack as unknown as {
    rawPath: unknown;
    route?: { path: string; methods: Record<string, boolean> };
    handle: Router;
  }[];
  return layers.flatMap(({ rawPath, route, handle }) => {
    if (route) {
      const path = mounted + (route.path === '/' ? '' : route.path.replace(/:(\w+)/g, '{$1}'));
      return Object.keys(route.methods).map((method) => `${method.toUpperCase()} ${path}`);
    }
    if (!Array.isArray(handle.stack)) return [];
    return routesOf(handle, mounted + (typeof rawPath === 'string' && rawPath !== '/' ? rawPath : ''));
  });
}

/** The routes as the app has them; none of them is called. */
function servedRoutes(): string[] {
  const unused = {} as never;
  const app = createApp({
    context: { log: createLogger({ level: 'fatal', role: 'test' }) },
    store: unused,
    pingRedis: () => Promise.resolve(),
    redis: unused,
    rateLimitPrefix: 'test',
    auth: { mode: 'guest' },
    streams: unused,
    events: createEventRoutes(unused),
    documents: unused,
    settings: {
      webRoot: '/',
      corsOrigins: [],
      trustProxy: false,
      limits: { maxMessageChars: 1000, userMessagesPerMinute: 1, sessionsPerHourPerIp: 1 },
    },
  } as unknown as AppOptions);
  return routesOf(app.router as unknown as Router).filter(
    (route) => !foreign.test(route.split(' ')[1] ?? ''),
  );
}

function documentedRoutes(): string[] {
  return Object.entries(openApi.paths as Record<string, Json>).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
}

/** Every example of a document that stands beside a schema. */
function* examplesIn(value: unknown, at = '#'): Generator<{ at: string; schema: unknown; example: unknown }> {
  if (typeof value !== 'object' || value === null) return;
  const { schema, payload, example, examples } = value as Json;
  if (schema && example !== undefined) yield { at, schema, example };
  if (schema && examples)
    for (const [name, one] of Object.entries(examples as Record<string, { value: unknown }>))
      yield { at: `${at}/${name}`, schema, example: one.value };
  if (payload && Array.isArray(examples))
    for (const one of examples as { payload: unknown }[]) yield { at, schema: payload, example: one.payload };
  for (const [key, inner] of Object.entries(value))
    if (key !== 'schemas') yield* examplesIn(inner, `${at}/${key}`);
}

// Compiling the schemas of the specifications takes its time.
vi.setConfig({ testTimeout: 60_000 });

describe('the OpenAPI document', () => {
  test('is OpenAPI 3.1, as its own schema has it', async () => {
    const result = await new Validator().validate(structuredClone(openApi));
    expect(result).toEqual({ valid: true });
  });

  test('tells of every route, and of none that is not there', () => {
    expect(documentedRoutes().sort()).toEqual(servedRoutes().sort());
  });

  test('names its operations once each, and each problem by a code of its status', () => {
    const operations = Object.values(openApi.paths as Record<string, Record<string, Json>>).flatMap((item) =>
      Object.values(item),
    );
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { responses } of operations)
      for (const [status, { content }] of Object.entries(responses as Record<string, { content?: Json }>)) {
        const problem = content?.['application/problem+json'] as { examples: Json } | undefined;
        for (const { value } of Object.values(problem?.examples ?? {}) as { value: { status: number } }[])
          expect(value.status).toBe(Number(status));
      }
  });

  test('has examples that match their schemas', () => {
    const validator = new DocumentValidator(openApi);
    const examples = [...examplesIn(openApi)];
    expect(examples.length).toBeGreaterThan(100);
    for (const { at, schema, example } of examples)
      expect({ at, problem: validator.problemOf(schema, example) }).toEqual({ at, problem: undefined });
  });

  test('has the limits of the settings', () => {
    const { schemas } = openApi.components as { schemas: Record<string, Json> };
    expect(JSON.stringify(schemas.NewMessage)).toContain('"maxLength":1000');
    expect(schemas.DocumentOptions).not.toHaveProperty('properties.tools');
    expect(schemas.DocumentOptions).toHaveProperty('properties.maxTokens');
  });
});

describe('the AsyncAPI document', () => {
  test('is AsyncAPI 3, as its own schema has it', () => {
    const ajv = new Ajv({ strict: false, allErrors: true });
    addFormats.default(ajv);
    const validate = ajv.compile(asyncApiSpecs.schemasWithoutId['3.0.0'] as Json);
    validate(asyncApi);
    expect(validate.errors).toBeNull();
  });

  test('has examples that match their schemas', () => {
    const validator = new DocumentValidator(asyncApi);
    const examples = [...examplesIn(asyncApi)];
    expect(examples.length).toBeGreaterThan(5);
    for (const { at, schema, example } of examples)
      expect({ at, problem: validator.problemOf(schema, example) }).toEqual({ at, problem: undefined });
  });

  test('says where the socket is', () => {
    expect(asyncApiServers('https://chat.example.com').default).toMatchObject({
      host: 'chat.example.com',
      protocol: 'wss',
    });
    expect(asyncApiServers('http://127.0.0.1:3000').default).toMatchObject({ protocol: 'ws' });
    expect(asyncApiServers('no address').default).toMatchObject({ host: '' });
  });
});
