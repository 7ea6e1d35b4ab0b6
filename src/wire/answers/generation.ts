import { z } from 'zod';
import { documentPhases } from '../../domain/document-phase.js';
import {
  generationStatuses,
  type Generation,
  type GenerationError,
  type GenerationHead,
  type GenerationMetrics,
  type HtmlBlock,
  type Usage,
} from '../../domain/generation.js';
import { generationOptionsSchema } from '../generation-options.js';
import { id, time } from './common.js';
import { contentBlock } from './content.js';

/** What is answered about generations (contract §5). */

const count = z.int().min(0);

export const tokenUsage = z.object({
  inputTokens: count,
  outputTokens: count,
  cacheReadInputTokens: count,
  cacheCreationInputTokens: count,
}) satisfies z.ZodType<Usage>;

const ms = z.number().min(0).nullable();

export const generationMetrics = z.object({
  queuedMs: ms,
  firstTokenMs: ms,
  durationMs: ms,
  chunks: count,
  characters: count,
  words: count,
  charactersPerSecond: ms,
  tokensPerSecond: ms,
}) satisfies z.ZodType<GenerationMetrics>;

const generationError = z.object({
  code: z.enum([
    'provider_error',
    'provider_overloaded',
    'provider_rate_limited',
    'provider_auth',
    'provider_refused',
    'timeout',
    'idle_timeout',
    'budget_exceeded',
    'worker_lost',
    'tool_failed',
    'schema_mismatch',
    'internal',
  ]),
  message: z.string(),
  provider: z.string().nullable(),
  statusCode: z.int().nullable(),
}) satisfies z.ZodType<GenerationError>;

export const htmlBlock = z.object({
  block: count.describe('Its place in the answer, from 0.'),
  language: z.string().nullable(),
  html: z.string(),
  done: z.boolean().describe('Nothing of it changes any more.'),
}) satisfies z.ZodType<HtmlBlock>;

/** Without text and content. */
export const generationHead = z.object({
  id,
  conversationId: id.nullable(),
  documentId: id.nullable(),
  sectionIndex: count.nullable(),
  phase: z.enum(documentPhases).nullable(),
  status: z.enum(generationStatuses),
  attempt: count.describe('Counts starts of the job, not retries inside one.'),
  model: z.string(),
  options: generationOptionsSchema,
  promptId: id.nullable(),
  messageId: id,
  position: z.int().nullable(),
  stopReason: z.string().nullable(),
  stopSequence: z.string().nullable(),
  usage: tokenUsage.nullable(),
  costUsd: z.number().nullable(),
  budget: z
    .object({ spentUsd: z.number(), remainingUsd: z.number() })
    .nullable()
    .describe('How the budget stood at its end; null: it has not ended, or nothing limits it.'),
  metrics: generationMetrics,
  provider: z.string(),
  requestId: z.string().nullable(),
  providerMessageId: z.string().nullable(),
  rateLimits: z.record(z.string(), z.string()).nullable(),
  streamed: z.boolean().nullable(),
  cached: z.boolean(),
  error: generationError.nullable(),
  createdAt: time,
  startedAt: time.nullable(),
  endedAt: time.nullable(),
}) satisfies z.ZodType<GenerationHead>;

export const generation = z.object({
  ...generationHead.shape,
  text: z.string(),
  content: z.array(contentBlock),
  html: z.array(htmlBlock).optional().describe('In snapshots alone, with `render: "html"`.'),
}) satisfies z.ZodType<Generation>;
