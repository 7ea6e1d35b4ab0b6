import { z } from 'zod';
import type { ApiUsage, Chunk, ContentBlock, ContentDelta } from '../../domain/content.js';

/** Content blocks and stream events as answers carry them. */

const textBlock = z.object({
  type: z.literal('text'),
  text: z.string(),
  citations: z.array(z.unknown()).nullish(),
});

const toolUse = { id: z.string(), name: z.string(), input: z.unknown(), partial_json: z.string().optional() };

export const contentBlock = z.discriminatedUnion('type', [
  textBlock,
  z.object({ type: z.literal('thinking'), thinking: z.string(), signature: z.string() }),
  z.object({ type: z.literal('redacted_thinking'), data: z.string() }),
  z.object({ type: z.literal('tool_use'), ...toolUse }),
  z.object({
    type: z.literal('tool_result'),
    tool_use_id: z.string(),
    content: z.union([z.string(), z.array(textBlock)]),
    is_error: z.boolean().optional(),
  }),
  z.object({ type: z.literal('server_tool_use'), ...toolUse }),
  z.object({
    type: z.enum([
      'web_search_tool_result',
      'web_fetch_tool_result',
      'code_execution_tool_result',
      'bash_code_execution_tool_result',
      'text_editor_code_execution_tool_result',
      'tool_search_tool_result',
    ]),
    tool_use_id: z.string(),
    content: z.unknown(),
  }),
  z.object({ type: z.literal('container_upload'), file_id: z.string() }),
]) satisfies z.ZodType<ContentBlock>;

const tokens = z.int().nullish();

const apiUsage = z.object({
  input_tokens: tokens,
  output_tokens: tokens,
  cache_read_input_tokens: tokens,
  cache_creation_input_tokens: tokens,
}) satisfies z.ZodType<ApiUsage>;

const contentDelta = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text_delta'), text: z.string() }),
  z.object({ type: z.literal('input_json_delta'), partial_json: z.string() }),
  z.object({ type: z.literal('thinking_delta'), thinking: z.string() }),
  z.object({ type: z.literal('signature_delta'), signature: z.string() }),
  z.object({ type: z.literal('citations_delta'), citation: z.unknown() }),
]) satisfies z.ZodType<ContentDelta>;

const index = z.int().min(0);

/** One stream event of a model. */
export const chunk = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('message_start'),
    message: z.object({
      id: z.string(),
      type: z.literal('message'),
      role: z.literal('assistant'),
      model: z.string(),
      content: z.tuple([]),
      stop_reason: z.null(),
      stop_sequence: z.null(),
      usage: apiUsage,
    }),
  }),
  z.object({ type: z.literal('content_block_start'), index, content_block: contentBlock }),
  z.object({ type: z.literal('content_block_delta'), index, delta: contentDelta }),
  z.object({ type: z.literal('content_block_stop'), index }),
  z.object({
    type: z.literal('message_delta'),
    delta: z.object({ stop_reason: z.string().nullable(), stop_sequence: z.string().nullable() }),
    usage: apiUsage,
  }),
  z.object({ type: z.literal('message_stop') }),
]) satisfies z.ZodType<Chunk>;
