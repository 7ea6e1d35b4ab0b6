import { z } from 'zod';
import type { ContentBlock, TextBlock } from '../../domain/content.js';
import { text } from '../../wire/http.js';

/**
 * An object of these fields alone. Others are refused by their names: what is asked for is done or refused, and never
 * left out in silence.
 */
export const only = <S extends z.ZodRawShape>(shape: S) =>
  z.looseObject(shape).superRefine((value, context) => {
    for (const key of Object.keys(value))
      if (!Object.hasOwn(shape, key))
        context.addIssue({ code: 'custom', path: [key], message: 'is not supported here' });
  });

/** A hint, which is taken and not needed: what repeats is cached without it. */
export const cacheControl = z.looseObject({ type: z.literal('ephemeral') }).nullish();

const unsupportedKind = {
  error: ({ input }: { input?: unknown }) => {
    const type = typeof input === 'object' && input !== null && 'type' in input ? input.type : undefined;
    return typeof type === 'string'
      ? `"${type.slice(0, 50)}" is not supported here`
      : 'must be a block that names its type';
  },
};

const id = text(200).min(1);

/** Text as a block. Citations come back with the answers that have them. */
export const textParam = (max: number) =>
  only({
    type: z.literal('text'),
    text: text(max),
    cache_control: cacheControl,
    citations: z.array(z.looseObject({})).max(100).nullish(),
  });

const toText = ({
  text,
  citations,
}: {
  text: string;
  citations?: readonly unknown[] | null | undefined;
}): TextBlock => ({ type: 'text', text, ...(citations?.length && { citations: [...citations] }) });

/** What a message of the user's may consist of. @param max longest text, and longest result of a tool */
const userBlock = (max: number) =>
  z
    .discriminatedUnion(
      'type',
      [
        textParam(max),
        only({
          type: z.literal('tool_result'),
          tool_use_id: id,
          content: z
            .union([
              text(max),
              z.array(z.discriminatedUnion('type', [textParam(max)], unsupportedKind)).max(100),
            ])
            .default(''),
          is_error: z.boolean().nullish(),
          cache_control: cacheControl,
        }),
      ],
      unsupportedKind,
    )
    .transform((block): ContentBlock => {
      if (block.type === 'text') return toText(block);
      const { type, tool_use_id, content, is_error } = block;
      return {
        type,
        tool_use_id,
        content: typeof content === 'string' ? content : content.map(toText),
        ...(is_error && { is_error }),
      };
    });

/** What a message of the assistant's may consist of: what an answer has brought. */
const assistantBlock = (max: number) =>
  z
    .discriminatedUnion(
      'type',
      [
        textParam(max),
        only({ type: z.literal('thinking'), thinking: text(1_000_000), signature: text(1_000_000) }),
        only({ type: z.literal('redacted_thinking'), data: text(1_000_000) }),
        only({
          type: z.literal('tool_use'),
          id,
          name: text(128).min(1),
          input: z.record(z.string(), z.unknown()),
          cache_control: cacheControl,
          caller: only({ type: z.literal('direct') }).nullish(),
        }),
      ],
      unsupportedKind,
    )
    .transform((block): ContentBlock => {
      switch (block.type) {
        case 'text':
          return toText(block);
        case 'thinking':
          return { type: block.type, thinking: block.thinking, signature: block.signature };
        case 'redacted_thinking':
          return { type: block.type, data: block.data };
        case 'tool_use':
          return { type: block.type, id: block.id, name: block.name, input: block.input };
      }
    });

const contentOf = <T extends z.ZodType<ContentBlock>>(max: number, block: T) =>
  z.union([
    text(max).transform((value): ContentBlock[] => [{ type: 'text', text: value }]),
    z.array(block).max(100),
  ]);

/** One of `messages`. @param max longest text, and longest result of a tool */
export const messageParam = (max: number) =>
  z.discriminatedUnion(
    'role',
    [
      only({ role: z.literal('user'), content: contentOf(max, userBlock(max)) }),
      only({ role: z.literal('assistant'), content: contentOf(max, assistantBlock(max)) }),
    ],
    { error: 'must be "user" or "assistant"' },
  );
