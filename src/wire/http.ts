import { z } from 'zod';
import { concurrencies } from '../domain/conversation.js';
import type { GenerationOptions } from '../domain/generation.js';
import { generationOptionsSchema } from './generation-options.js';
import { jsonBytes } from './json-bytes.js';
import { isUuid } from './room.js';

/**
 * Text as people write it: well-formed Unicode without NUL, which Postgres cannot hold.
 * Limits are in UTF-16 code units, what `length` counts in browsers.
 */
export const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => !value.includes('\0'), 'must not contain NUL')
    .refine((value) => value.isWellFormed(), 'must be well-formed Unicode');

export const sessionBody = z.object({
  name: text(80)
    .transform((name) => name.trim())
    .pipe(z.string().min(1)),
});

const title = text(200);
const system = text(100_000);
const model = z.string().min(1).max(200);

const textBlock = (max: number) => z.object({ type: z.literal('text'), text: text(max) });

/** Content of a message: a string, or `text` and `tool_result` blocks. */
const content = (max: number) =>
  z.union([
    text(max).min(1),
    z
      .array(
        z.discriminatedUnion('type', [
          textBlock(max),
          z.object({
            type: z.literal('tool_result'),
            tool_use_id: z.string().min(1).max(200),
            content: z.union([text(max), z.array(textBlock(max)).max(100)]).default(''),
            is_error: z.boolean().optional(),
          }),
        ]),
      )
      .min(1)
      .max(100),
  ]);

/** Its size comes first: a look at every value of a whole megabyte takes so long that others would wait for it. */
export const metadata = z
  .unknown()
  .refine((value) => jsonBytes(value) <= 4096, 'must be at most 4 KB of JSON')
  .pipe(z.record(z.string().max(100), z.json()))
  .meta({
    type: 'object',
    additionalProperties: true,
    description: 'Seen by the room; at most 4 KB of JSON.',
  });

/** Bodies whose limits are settings. `maxMessageChars`: longest message. */
export function conversationBodies(maxMessageChars: number) {
  const history = z
    .array(
      z.object({
        role: z.enum(['user', 'assistant']),
        content: content(maxMessageChars),
      }),
    )
    .max(200);
  const settings = {
    title: title.nullish(),
    system: system.nullish(),
    model: model.nullish(),
    concurrency: z.enum(concurrencies).optional(),
  };
  return {
    create: z.object({
      ...settings,
      messages: history.optional(),
      /** The document that its questions are about: one of the caller's own. */
      documentId: z.string().refine(isUuid, 'is not an id').nullish(),
    }),
    update: z.object(settings),
    edit: z.object({
      content: content(maxMessageChars),
      /** Drops what follows the message and answers it anew. */
      regenerate: z.union([z.boolean(), generationOptionsSchema]).default(false),
    }),
    message: z.object({
      content: content(maxMessageChars),
      generate: z.union([z.boolean(), generationOptionsSchema]).default(true),
      clientId: text(200).nullish(),
      metadata: metadata.nullish(),
    }),
  };
}

export type ConversationBodies = ReturnType<typeof conversationBodies>;
export type CreateConversationBody = z.infer<ConversationBodies['create']>;
export type MessageBody = z.infer<ConversationBodies['message']>;

/** Options whose answer would not be an analysis, or that make no sense for many generations at once. */
export const notOfDocuments = [
  'tools',
  'outputSchema',
  'output',
  'stopSequences',
  'stopAtPercent',
  'onUnwatched',
] as const satisfies (keyof GenerationOptions)[];

/** Options of a document: those of its generations that make sense for all of them. */
export const documentOptionsSchema = generationOptionsSchema.superRefine((options, context) => {
  for (const name of notOfDocuments)
    if (options[name] !== undefined)
      context.addIssue({ code: 'custom', path: [name], message: 'is no option of a document' });
});

export const inviteBody = z.object({ role: z.enum(['member', 'viewer']).default('member') });

export const readBody = z.object({ position: z.int().min(0) });

/** Paging of lists: newest first unless a route says otherwise. */
export const listQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  before: z.string().refine(isUuid, 'is not an id').optional(),
});

/** Of the list of conversations; `q` searches titles and texts. */
export const conversationQuery = listQuery.extend({ q: text(200).optional() });

export interface Page<T> {
  items: T[];
  nextBefore: string | null;
}
