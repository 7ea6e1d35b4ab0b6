import { z } from 'zod';

const textBlock = z.looseObject({
  type: z.literal('text'),
  text: z
    .string()
    .refine((text) => text.trim() !== '', 'text content blocks must contain non-whitespace text'),
});

/** A content that may be written as a string, which stands for one block of text. */
const contentOf = <T extends z.ZodType>(block: T) =>
  z.preprocess(
    (content) => (typeof content === 'string' ? [{ type: 'text', text: content }] : content),
    z.array(block),
  );

const block = z.discriminatedUnion('type', [
  textBlock,
  z.looseObject({ type: z.literal('tool_use'), id: z.string(), name: z.string() }),
  z.looseObject({
    type: z.literal('tool_result'),
    tool_use_id: z.string(),
    content: contentOf(z.looseObject({ type: z.string(), text: z.string().default('') })).default([]),
  }),
  z.looseObject({
    type: z.enum(['thinking', 'redacted_thinking', 'image', 'document', 'search_result']),
  }),
]);

const jsonSchema = z.record(z.string(), z.unknown());
const format = z.looseObject({ type: z.literal('json_schema'), schema: jsonSchema });

/** What the demo server reads of a Messages API request; the rest is accepted and ignored. */
export const demoRequestSchema = z.looseObject({
  model: z.string().min(1),
  max_tokens: z.int().min(1),
  messages: z
    .array(z.looseObject({ role: z.enum(['user', 'assistant']), content: contentOf(block) }))
    .min(1, 'at least one message is required'),
  system: contentOf(textBlock).default([]),
  stream: z.boolean().default(false),
  stop_sequences: z.array(z.string().min(1)).default([]),
  thinking: z.looseObject({ type: z.string(), display: z.string().nullish() }).optional(),
  tools: z.array(z.looseObject({ name: z.string(), input_schema: jsonSchema.optional() })).default([]),
  tool_choice: z.looseObject({ type: z.string(), name: z.string().optional() }).optional(),
  output_config: z.looseObject({ format: format.nullish() }).optional(),
  output_format: format.nullish(),
});

export type DemoRequest = z.infer<typeof demoRequestSchema>;
type Block = z.infer<typeof block>;

/** What the answer is about, taken from a request. */
export interface DemoPrompt {
  /** What the last user message asks, without its speaker prefix. */
  question: string;
  /** Who asks, where the message says so: `Ada: …`. */
  speaker: string | null;
  system: string;
  /** The text that the answer goes on from. */
  prefill: string;
  /** What came back from tools that were called just before. */
  toolResults: { name: string; output: string }[];
}

/** Reads the prompt; linear in the size of the request. */
export function demoPrompt({ messages, system }: DemoRequest): DemoPrompt {
  const last = messages.at(-1);
  const asking = messages.filter(({ role }) => role === 'user');
  const asked = asking.map(({ content }) => textsOf(content).at(-1)).findLast((text) => text !== undefined);
  return {
    ...speakerAndQuestion(asked ?? ''),
    system: textsOf(system).join('\n'),
    prefill: last?.role === 'assistant' ? textsOf(last.content).join('') : '',
    toolResults: resultsOf(
      asking.at(-1)?.content ?? [],
      messages.flatMap(({ content }) => content),
    ),
  };
}

function textsOf(content: readonly Block[]): string[] {
  return content.flatMap((part) => (part.type === 'text' ? [part.text] : []));
}

const speakerPrefix =
  /^\[?(\p{L}[\p{L}\p{M}\p{N}.'’_-]{0,39}(?: [\p{L}\p{M}\p{N}.'’_-]{1,40}){0,2})\]?: (?=\S)/u;

function speakerAndQuestion(text: string): { speaker: string | null; question: string } {
  const match = speakerPrefix.exec(text);
  return { speaker: match?.[1] ?? null, question: text.slice(match?.[0].length ?? 0).trim() };
}

function resultsOf(content: readonly Block[], history: readonly Block[]): DemoPrompt['toolResults'] {
  const names = new Map(history.flatMap((part) => (part.type === 'tool_use' ? [[part.id, part.name]] : [])));
  return content.flatMap((part) =>
    part.type === 'tool_result'
      ? [
          {
            name: names.get(part.tool_use_id) ?? 'tool',
            output: part.content.map(({ text }) => text).join('\n'),
          },
        ]
      : [],
  );
}
