import type Anthropic from '@anthropic-ai/sdk';
import { transformJSONSchema } from '@anthropic-ai/sdk/lib/transform-json-schema';
import type { ContentBlock } from '../domain/content.js';
import { markForCache, type Params, type Turn } from './anthropic-cache.js';
import { historyTurns } from './history.js';
import { mistralSignature } from './mistral-signature.js';
import type { ProviderRequest } from './provider.js';

type Param = Anthropic.ContentBlockParam;

/**
 * The request in the words of the Messages API, which is stricter than our histories: it refuses blank text blocks,
 * thinking without its signature, tool calls without their result, results inside an assistant message, and white
 * space at the end of a prefill. All these are left out, set right or cut here; `trailingSpace` tells what was cut.
 */
export function anthropicRequest(request: ProviderRequest): { params: Params; trailingSpace: string } {
  const messages = turnsOf(request);
  const trailingSpace = trimPrefill(messages);
  const { temperature, topP, stopSequences, thinking, outputSchema } = request;
  // A prefill excludes thinking, and a schema: what goes on from half of an answer is no JSON of its own.
  // https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking
  // What the API has paused at is no prefill.
  const last = messages.at(-1);
  const free = last?.role !== 'assistant' || last.content.some(({ type }) => type === 'server_tool_use');
  const params: Params = {
    model: request.model,
    max_tokens: request.maxTokens,
    messages,
    ...(request.system?.trim() && { system: request.system }),
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { top_p: topP }),
    ...(stopSequences?.length && { stop_sequences: stopSequences }),
    ...(free && thinking && { thinking: thinkingParam(thinking) }),
    ...(free && outputSchema && { output_config: outputConfig(outputSchema) }),
    ...toolParams(request, messages),
  };
  return { params: request.repeats ? markForCache(params) : params, trailingSpace };
}

/** The history with neighbours of one role merged, and the results of tools in a turn of the user, before all else. */
function turnsOf({ messages }: ProviderRequest): Turn[] {
  const turns: Turn[] = [];
  const add = (role: Turn['role'], blocks: readonly ContentBlock[]) => {
    const content = blocks.flatMap((block) => blockParam(block) ?? []);
    const last = turns.at(-1);
    if (content.length === 0) return;
    if (last?.role === role) last.content.push(...content);
    else turns.push({ role, content });
  };
  const history = historyTurns(messages);
  for (const [at, turn] of history.entries()) {
    if (turn.role === 'user') {
      add('user', turn.content);
    } else {
      // A call that the API itself has paused at goes back as it is; one that was cut off before has no answer.
      add('assistant', at === history.length - 1 ? turn.content : withoutCutCalls(turn.content));
      add('user', turn.results);
    }
  }
  return turns;
}

function withoutCutCalls(content: readonly ContentBlock[]): ContentBlock[] {
  const answered = new Set(content.map((block) => ('tool_use_id' in block ? block.tool_use_id : undefined)));
  return content.filter((block) => block.type !== 'server_tool_use' || answered.has(block.id));
}

/** Undefined: the API would refuse the block. */
function blockParam(block: ContentBlock): Param | undefined {
  switch (block.type) {
    case 'text':
      return block.text.trim() ? { type: 'text', text: block.text } : undefined;
    case 'thinking':
      return block.signature && !block.signature.startsWith(mistralSignature)
        ? { type: 'thinking', thinking: block.thinking, signature: block.signature }
        : undefined;
    case 'redacted_thinking':
      return { type: 'redacted_thinking', data: block.data };
    case 'tool_use':
      return { type: 'tool_use', id: block.id, name: block.name, input: block.input ?? {} };
    case 'tool_result':
      return {
        type: 'tool_result',
        tool_use_id: block.tool_use_id,
        content:
          typeof block.content === 'string'
            ? block.content
            : block.content.filter(({ text }) => text.trim()).map(({ text }) => ({ type: 'text', text })),
        ...(block.is_error && { is_error: true }),
      };
    case 'server_tool_use':
      return { type: 'server_tool_use', id: block.id, name: block.name, input: block.input ?? {} } as Param;
    default:
      // What the API's own tools answered goes back as it came.
      return block as Param;
  }
}

/** Cuts the white space at the end of a prefill, and answers what it cut. */
function trimPrefill(messages: Turn[]): string {
  const last = messages.at(-1);
  const block = last?.role === 'assistant' ? last.content.at(-1) : undefined;
  if (block?.type !== 'text') return '';
  const { text } = block;
  block.text = text.trimEnd();
  return text.slice(block.text.length);
}

/**
 * The tools; those of earlier calls where the request has none, not to be called again, since the API may refuse a
 * history of calls without them.
 */
function toolParams(
  { tools = [] }: ProviderRequest,
  messages: readonly Turn[],
): Pick<Params, 'tools' | 'tool_choice'> {
  if (tools.length)
    return {
      tools: tools.map(({ name, description, inputSchema }) => ({
        name,
        description,
        input_schema: { type: 'object', ...inputSchema },
      })),
    };
  const called = messages.flatMap(({ content }) =>
    content.flatMap((block) => (block.type === 'tool_use' ? [block.name] : [])),
  );
  if (!called.length) return {};
  return {
    tools: [...new Set(called)].map((name) => ({ name, input_schema: { type: 'object' } })),
    tool_choice: { type: 'none' },
  };
}

/** The schema as the API takes it: closed objects, and what it cannot enforce as part of the description. */
function outputConfig(schema: Record<string, unknown>): Anthropic.OutputConfig {
  return { format: { type: 'json_schema', schema: enforceable(schema) } };
}

function enforceable(schema: Record<string, unknown>): Record<string, unknown> {
  try {
    return transformJSONSchema(schema);
  } catch {
    // Not a schema that it understands: the API says what is wrong with it.
    return schema;
  }
}

function thinkingParam(thinking: NonNullable<ProviderRequest['thinking']>): Anthropic.ThinkingConfigParam {
  const display = thinking.display && { display: thinking.display };
  switch (thinking.type) {
    case 'adaptive':
      return { type: 'adaptive', ...display };
    case 'enabled':
      return { type: 'enabled', budget_tokens: thinking.budgetTokens, ...display };
  }
}
