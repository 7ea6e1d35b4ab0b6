import { demoDocument, demoDocumentAnswer } from './demo-document.js';
import { demoPrompt, type DemoPrompt, type DemoRequest } from './demo-request.js';
import { demoSample } from './demo-sample.js';
import { demoText, demoThinking } from './demo-text.js';
import { demoHash } from './demo-tokens.js';

/** One block of an answer, before it is cut into tokens. */
export type DemoBlock =
  | { type: 'thinking'; thinking: string; signature: string }
  | { type: 'text'; text: string }
  | { type: 'tool_use'; id: string; name: string; json: string };

export interface DemoAnswer {
  blocks: DemoBlock[];
  stopReason: 'end_turn' | 'tool_use' | 'stop_sequence';
  stopSequence: string | null;
}

/** What the demo model says; the same for the same request. `max_tokens` is left to the one who writes it out. */
export function demoAnswer(request: DemoRequest): DemoAnswer {
  const prompt = demoPrompt(request);
  const blocks: DemoBlock[] = [];
  if (wantsThinking(request) && !prompt.prefill) blocks.push(thinkingBlock(request, prompt));

  const calls = prompt.toolResults.length || prompt.prefill ? [] : toolCalls(request, prompt);
  if (calls.length) {
    const names = calls.map(({ name }) => `\`${name}\``).join(' and ');
    blocks.push({ type: 'text', text: `Let me ask ${names}.` }, ...calls);
    return { blocks, stopReason: 'tool_use', stopSequence: null };
  }

  const { text, stopSequence } = untilStop(answerText(request, prompt), request.stop_sequences);
  if (text) blocks.push({ type: 'text', text });
  return { blocks, stopReason: stopSequence === null ? 'end_turn' : 'stop_sequence', stopSequence };
}

function wantsThinking({ thinking }: DemoRequest): boolean {
  return thinking?.type === 'enabled' || thinking?.type === 'adaptive';
}

function thinkingBlock({ thinking }: DemoRequest, prompt: DemoPrompt): DemoBlock {
  const thought = demoThinking(prompt);
  const signature = Buffer.from(`demo ${demoHash(thought)}`).toString('base64');
  return { type: 'thinking', thinking: thinking?.display === 'omitted' ? '' : thought, signature };
}

type ToolCall = Extract<DemoBlock, { type: 'tool_use' }>;

/** The calls of the tools that the request forces or the question mentions. */
function toolCalls(
  { tools, tool_choice: choice, messages }: DemoRequest,
  { question }: DemoPrompt,
): ToolCall[] {
  if (choice?.type === 'none') return [];
  const forced = choice?.type === 'tool' ? tools.filter(({ name }) => name === choice.name) : [];
  const asked = forced.length ? forced : tools.filter(({ name }) => mentions(question, name));
  const called = asked.length || choice?.type !== 'any' ? asked : tools.slice(0, 1);
  return called.map(({ name, input_schema: schema }) => {
    const json = JSON.stringify(demoSample(schema ?? { type: 'object' }, question));
    // Another id when the same is asked again.
    const id = `toolu_demo_${hex([name, json, question, messages.length].join())}`;
    return { type: 'tool_use', id, name, json };
  });
}

/** Whether a question speaks of a tool: `get_weather` by its name, as words, or by the noun in it. */
function mentions(question: string, tool: string): boolean {
  const asked = question.toLowerCase();
  const words = tool.toLowerCase().split(/[_\s-]+/);
  const nouns = words.filter(
    (word) => word.length > 3 && !['tool', 'find', 'fetch', 'search'].includes(word),
  );
  const stems = nouns.map((noun) => noun.replace(/(or|er|ion|e)$/, ''));
  return (
    asked.includes(words.join('_')) ||
    asked.includes(words.join(' ')) ||
    stems.some((stem) => asked.includes(stem))
  );
}

/** The text from where the prefill ends. */
function answerText(request: DemoRequest, prompt: DemoPrompt): string {
  const { prefill } = prompt;
  const full = fullText(request, prompt);
  if (full.startsWith(prefill)) return full.slice(prefill.length);
  const trimmed = prefill.trimEnd();
  if (full.startsWith(trimmed)) return full.slice(trimmed.length).trimStart();
  const json = jsonText(request, prompt);
  if (json.startsWith(trimmed)) return json.slice(trimmed.length);
  const space = prefill === trimmed ? (/[.!?:]$/.test(trimmed) ? '\n\n' : ' … ') : '';
  return `${space}and that is how far it had come. To go on from there:\n\n${full}`;
}

function fullText(request: DemoRequest, prompt: DemoPrompt): string {
  const ofDocument =
    demoDocument(prompt.question, schemaOf(request)) ?? demoDocumentAnswer(prompt.question, prompt.system);
  if (ofDocument !== undefined) return ofDocument;
  return wantsJson(request, prompt) ? jsonText(request, prompt) : demoText(prompt);
}

const asksForJson =
  /\b(as|in|return|reply|answer|respond|give|output|only|valid|write)\b[^.?!]{0,40}\bjson\b/i;

function wantsJson(request: DemoRequest, { question, system }: DemoPrompt): boolean {
  return schemaOf(request) !== undefined || asksForJson.test(question) || asksForJson.test(system);
}

function schemaOf(request: DemoRequest): Record<string, unknown> | undefined {
  return (request.output_config?.format ?? request.output_format)?.schema;
}

function jsonText(request: DemoRequest, { question, speaker }: DemoPrompt): string {
  const schema = schemaOf(request);
  const value = schema
    ? demoSample(schema, question)
    : {
        question,
        askedBy: speaker,
        answer: 'This is the demo model; set ANTHROPIC_API_KEY for real answers.',
        points: ['JSON comes piece by piece, too', 'it is whole when the last bracket is there'],
        sure: false,
      };
  return JSON.stringify(value, null, 2);
}

/** The text before the first stop sequence in it. */
function untilStop(
  text: string,
  sequences: readonly string[],
): { text: string; stopSequence: string | null } {
  let end = text.length;
  let stopSequence: string | null = null;
  for (const sequence of sequences) {
    const at = text.indexOf(sequence);
    if (at === -1 || at >= end) continue;
    end = at;
    stopSequence = sequence;
  }
  return { text: text.slice(0, end), stopSequence };
}

function hex(text: string): string {
  return demoHash(text).toString(16).padStart(8, '0');
}
