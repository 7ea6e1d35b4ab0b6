import { z } from 'zod';
import { AppError } from '../../domain/errors.js';
import type { GenerationOptions } from '../../domain/generation.js';
import { modelInfo } from '../../domain/models.js';
import { tokensOf } from '../../domain/tokens.js';
import type { NewMessageList } from '../../service/message-lists.js';
import { generationOptionsSchema } from '../../wire/generation-options.js';
import { text } from '../../wire/http.js';
import { parse } from '../parse.js';
import { cacheControl, messageParam, only, textParam } from './message-blocks.js';

const longestSystem = 100_000;
const mostMessages = 1000;

const tool = only({
  type: z.literal('custom', { error: 'is not supported here: only tools of the client are' }).nullish(),
  name: z.string(),
  description: z.string().nullish(),
  input_schema: z.record(z.string(), z.unknown()),
  cache_control: cacheControl,
});

const parallel = z
  .literal(false, { error: 'is not supported here: the model may call several tools at once' })
  .nullish();

const toolChoice = z.discriminatedUnion(
  'type',
  [only({ type: z.literal('auto'), disable_parallel_tool_use: parallel }), only({ type: z.literal('none') })],
  { error: 'is not supported here: only "auto" and "none" are' },
);

const display = z
  .literal('omitted', { error: 'is not supported here: only "omitted" is; without it thinking is shown' })
  .nullish();

const thinking = z.discriminatedUnion(
  'type',
  [
    only({ type: z.literal('disabled') }),
    only({ type: z.literal('adaptive'), display }),
    only({ type: z.literal('enabled'), budget_tokens: z.number(), display }),
  ],
  { error: 'is not supported here: only "enabled", "adaptive" and "disabled" are' },
);

/** What is counted and asked alike. @param maxChars longest text of a message */
const promptShape = (maxChars: number) => ({
  model: z.string().min(1).max(200),
  messages: z.array(messageParam(maxChars)).min(1).max(mostMessages),
  system: z
    .union([
      text(longestSystem),
      z
        .array(textParam(longestSystem))
        .max(100)
        .transform((blocks) => blocks.map((block) => block.text).join('\n\n'))
        .refine((joined) => joined.length <= longestSystem, `must be at most ${longestSystem} characters`),
    ])
    .nullish(),
  tools: z.array(tool).nullish(),
  tool_choice: toolChoice.nullish(),
  thinking: thinking.nullish(),
  output_config: only({
    format: only({
      type: z.literal('json_schema'),
      schema: z.record(z.string(), z.unknown()),
    }).nullish(),
  }).nullish(),
  cache_control: cacheControl,
});

/** Bodies of the door. `maxChars`: longest text of a message, and longest result of a tool. */
export function messageBodies(maxChars: number) {
  const prompt = promptShape(maxChars);
  return {
    count: only(prompt),
    create: only({
      ...prompt,
      messages: prompt.messages.refine((messages) => messages.at(-1)?.role === 'user', {
        error: 'must end with a message of the user: an answer that has begun is not gone on with',
      }),
      max_tokens: z.number(),
      stream: z.boolean().nullish(),
      stop_sequences: z.array(z.string()).nullish(),
      temperature: z.number().max(1).nullish(),
      top_p: z.number().nullish(),
      metadata: only({ user_id: text(500).nullish() }).nullish(),
      service_tier: z.literal('auto', { error: 'is not supported here: only "auto" is' }).nullish(),
    }),
  };
}

type MessageBodies = ReturnType<typeof messageBodies>;
type CountBody = z.infer<MessageBodies['count']>;
type CreateBody = z.infer<MessageBodies['create']>;

/** What is asked of the model. @throws AppError invalid_request, with the names that the request has for its fields */
export function optionsOf(body: CreateBody): GenerationOptions {
  const { maxOutputTokens } = modelInfo(body.model);
  if (body.max_tokens > maxOutputTokens)
    throw invalid('max_tokens', `must be at most ${maxOutputTokens}, which is what ${body.model} can write`);
  const options = parseOptions({
    model: body.model,
    maxTokens: body.max_tokens,
    temperature: body.temperature ?? undefined,
    topP: body.top_p ?? undefined,
    stopSequences: body.stop_sequences ?? undefined,
    system: body.system ?? undefined,
    thinking: thinkingOf(body),
    // Tools that must not be called need not be known.
    tools: body.tool_choice?.type === 'none' ? undefined : toolsOf(body),
    outputSchema: body.output_config?.format?.schema,
  });
  const { contextTokens } = modelInfo(body.model);
  const tokens = countTokens(body);
  if (tokens + body.max_tokens > contextTokens)
    throw invalid(
      'messages',
      `about ${tokens} tokens and max_tokens ${body.max_tokens} are more than the ${contextTokens} of ${body.model}`,
    );
  return options;
}

/** An estimate on the careful side: providers are asked by workers alone. */
export function countTokens({ system, messages, tools, tool_choice, output_config }: CountBody): number {
  const asked = [system, messages.map(({ content }) => content), tools, tool_choice, output_config];
  return tokensOf(JSON.stringify(asked.filter((part) => part !== undefined && part !== null)));
}

export function turnsOf({ messages }: CreateBody): NewMessageList['messages'] {
  return messages.map(({ role, content }) => ({ role, content }));
}

function thinkingOf({ thinking }: CreateBody): GenerationOptions['thinking'] {
  if (!thinking || thinking.type === 'disabled') return undefined;
  const shown = thinking.display ? { display: thinking.display } : {};
  return thinking.type === 'adaptive'
    ? { type: thinking.type, ...shown }
    : { type: thinking.type, budgetTokens: thinking.budget_tokens, ...shown };
}

function toolsOf({ tools }: CreateBody): GenerationOptions['tools'] {
  return tools?.map(({ name, description, input_schema }) => ({
    name,
    description: description ?? '',
    inputSchema: input_schema,
  }));
}

/** The bounds of the options are those of every generation; here they have other names. */
function parseOptions(given: { [K in keyof GenerationOptions]: unknown }): GenerationOptions {
  const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  try {
    return parse(generationOptionsSchema, known);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const errors = (error.errors ?? []).map(({ path, message }) => ({
      path: asSnakeCase(path),
      message: asSnakeCase(message),
    }));
    throw new AppError('invalid_request', asSnakeCase(error.message), { errors });
  }
}

const asSnakeCase = (name: string): string =>
  name
    .replace(/\b(maxTokens|budgetTokens|topP|stopSequences|inputSchema)\b/g, (word) =>
      word.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    )
    .replace(/\boutputSchema\b/g, 'output_config.format.schema');

const invalid = (path: string, message: string): AppError =>
  new AppError('invalid_request', `${path}: ${message}`, { errors: [{ path, message }] });
