import { z } from 'zod';
import type { GenerationOptions } from '../domain/generation.js';
import { jsonBytes } from './json-bytes.js';

const dayMs = 86_400_000;

const maxSchemaBytes = 32_768;
const maxToolsBytes = 65_536;

/** A JSON Schema, as far as its form goes. Its depth is bounded with that of all bodies. */
const jsonSchema = z
  .unknown()
  .refine(
    (value) => jsonBytes(value) <= maxSchemaBytes,
    `must be at most ${maxSchemaBytes / 1024} KB of JSON`,
  )
  .pipe(z.record(z.string(), z.unknown()))
  .meta({ type: 'object', additionalProperties: true, description: 'A JSON Schema.' });

const toolDefinition = z.strictObject({
  /** What all providers take. */
  name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, dashes or underscores'),
  description: z.string().max(10_000),
  inputSchema: jsonSchema.refine(
    ({ type }) => type === undefined || type === 'object',
    'must be the schema of an object',
  ),
});

const toolName = z.string().min(1).max(128);

const tools = z
  .unknown()
  .refine((value) => jsonBytes(value) <= maxToolsBytes, `must be at most ${maxToolsBytes / 1024} KB of JSON`)
  .pipe(
    z
      .array(z.union([toolName, toolDefinition]))
      .max(64)
      .refine(
        (given) => new Set(given.map(nameOf)).size === given.length,
        'must not name a tool more than once',
      ),
  );

const nameOf = (tool: string | { name: string }): string => (typeof tool === 'string' ? tool : tool.name);

/** Options of a generation (contract §4). Unknown ones are refused, so that nobody believes in what is not done. */
export const generationOptionsSchema = z
  .strictObject({
    model: z.string().min(1).max(200),
    maxTokens: z.int().min(1).max(1_000_000),
    temperature: z.number().min(0).max(2),
    topP: z.number().min(0).max(1),
    stopSequences: z.array(z.string().min(1).max(200)).max(16),
    system: z.string().max(100_000),
    thinking: z.discriminatedUnion('type', [
      z.strictObject({ type: z.literal('adaptive'), display: z.literal('omitted').optional() }),
      z.strictObject({
        type: z.literal('enabled'),
        budgetTokens: z.int().min(1024).max(1_000_000),
        display: z.literal('omitted').optional(),
      }),
    ]),
    tools,
    outputSchema: jsonSchema,
    output: z.literal('json'),
    cache: z.boolean(),
    timeoutMs: z.int().min(1).max(dayMs),
    idleTimeoutMs: z.int().min(1).max(dayMs),
    firstTokenTimeoutMs: z.int().min(1).max(dayMs),
    flush: z.discriminatedUnion('by', [
      z.strictObject({ by: z.literal('time'), ms: z.int().min(0).max(60_000) }),
      z.strictObject({ by: z.literal('size'), characters: z.int().min(1).max(100_000) }),
      z.strictObject({ by: z.literal('sentence') }),
    ]),
    render: z.literal('html'),
    stopAtPercent: z.int().min(1).max(100),
    onCrash: z.enum(['continue', 'restart']),
    onUnwatched: z.union([
      z.literal('continue'),
      z.strictObject({ cancelAfterMs: z.int().min(0).max(dayMs) }),
    ]),
    priority: z.int().min(0).max(10),
  })
  .partial()
  .refine(
    ({ thinking, maxTokens }) =>
      thinking?.type !== 'enabled' || maxTokens === undefined || thinking.budgetTokens < maxTokens,
    {
      path: ['thinking', 'budgetTokens'],
      error: 'must be less than maxTokens: the answer needs some of them',
    },
  ) satisfies z.ZodType<GenerationOptions>;
