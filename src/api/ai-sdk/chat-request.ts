import { z } from 'zod';
import type { ToolResultBlock } from '../../domain/content.js';
import type { ChatTurn } from '../../service/chat-turns.js';
import { generationOptionsSchema } from '../../wire/generation-options.js';
import { metadata, text } from '../../wire/http.js';

/** The client's own name of a chat. */
export const chatIdSchema = text(128).min(1);

/** What a message consists of; of most kinds only the type counts here. */
const parts = z.array(z.looseObject({ type: z.string() })).max(1000);

const toolPart = z.object({
  toolCallId: z.string().min(1).max(200),
  state: z.string(),
  output: z.unknown().optional(),
  errorText: z.string().optional(),
  providerExecuted: z.boolean().optional(),
});

type Parts = z.infer<typeof parts>;

/**
 * What `DefaultChatTransport` posts, with the options of the generation beside it as `generate` (contract §4). Of the
 * messages only the last is looked at.
 *
 * @param maxChars longest message, and longest result of a tool
 */
export function chatBody(maxChars: number) {
  const textPart = z.object({ text: text(maxChars) });
  const result = text(maxChars);

  const prompt = z.object({
    role: z.literal('user'),
    id: text(200).min(1),
    metadata: metadata.nullish(),
    parts: parts.transform((given, context) => {
      const texts = given.flatMap((part) => {
        if (part.type === 'file') context.addIssue('must be text: files are not taken here');
        return part.type === 'text' ? [read(textPart, part, context)?.text ?? ''] : [];
      });
      if (texts.join('').length > maxChars)
        context.addIssue(`must be at most ${maxChars} characters of text`);
      return texts.filter((each) => each !== '').map((each) => ({ type: 'text' as const, text: each }));
    }),
  });

  const answer = z.object({
    role: z.literal('assistant'),
    parts: parts.transform((given, context) => {
      const results = lastStep(given).flatMap((part): ToolResultBlock[] => {
        if (!part.type.startsWith('tool-') && part.type !== 'dynamic-tool') return [];
        const call = read(toolPart, part, context);
        if (!call || call.providerExecuted || !isAnswered(call.state)) return [];
        const is_error = call.state === 'output-error';
        const content = read(result, is_error ? (call.errorText ?? '') : asText(call.output), context) ?? '';
        return [{ type: 'tool_result', tool_use_id: call.toolCallId, content, is_error }];
      });
      if (results.length === 0)
        context.addIssue('must hold what the client’s tools have answered: the last message is an answer');
      return results.slice(0, 100);
    }),
  });

  return z.object({
    id: chatIdSchema,
    messages: z
      .array(z.unknown())
      .min(1)
      .transform((messages) => messages.at(-1))
      .pipe(z.discriminatedUnion('role', [prompt, answer])),
    trigger: z.enum(['submit-message', 'regenerate-message']).default('submit-message'),
    /** The message that was edited, or is to be answered anew; or the answer that goes on. */
    messageId: z.string().max(200).nullish(),
    generate: generationOptionsSchema.default({}),
  });
}

type ChatBody = z.infer<ReturnType<typeof chatBody>>;

/** What a request adds to its chat. */
export function turnOf({ messages: last, trigger, messageId }: ChatBody): ChatTurn {
  if (last.role === 'assistant') return { kind: 'results', results: last.parts };
  const anew = trigger === 'regenerate-message' || messageId === last.id;
  return { kind: 'prompt', clientId: last.id, content: last.parts, metadata: last.metadata ?? null, anew };
}

/** Behind the last call of the model. */
const lastStep = (given: Parts): Parts =>
  given.slice(given.findLastIndex(({ type }) => type === 'step-start') + 1);

const isAnswered = (state: string): boolean => state === 'output-available' || state === 'output-error';

/** Models read text. */
const asText = (output: unknown): string =>
  typeof output === 'string' ? output : JSON.stringify(output ?? null);

/** Reads a part, and hands its faults on. */
function read<T extends z.ZodType>(
  schema: T,
  value: unknown,
  context: z.RefinementCtx,
): z.output<T> | undefined {
  const { data, error } = schema.safeParse(value);
  for (const { message, path } of error?.issues ?? [])
    context.addIssue({ code: 'custom', message, path: [...path] });
  return data;
}
