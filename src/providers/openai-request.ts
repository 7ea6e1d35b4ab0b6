import type OpenAI from 'openai';
import { chatTurns, type ChatTurn } from './chat-turns.js';
import type { ProviderRequest } from './provider.js';
import { isStrictSchema } from './strict-schema.js';

type Params = OpenAI.ChatCompletionCreateParams;

/**
 * The request as a chat completion. Thinking of earlier answers stays behind: chat completions take none. A prefill is
 * sent as the last message, which most servers answer with a new message.
 *
 * @param official whether OpenAI itself is asked, and not another server that speaks like it
 */
export function openaiRequest(request: ProviderRequest, official: boolean): Params {
  const { temperature, topP, stopSequences, tools, outputSchema } = request;
  const model = request.model.replace(/^openai:/, '');
  const reasoningEffort = effortOf(request, model);
  return {
    model,
    messages: [
      // Not `developer`, which other servers do not know and OpenAI takes this for.
      ...(request.system?.trim() ? [{ role: 'system' as const, content: request.system }] : []),
      ...chatTurns(request).map(messageParam),
    ],
    ...maxTokensParam(request.maxTokens, official || ownReasoning.test(model)),
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { top_p: topP }),
    ...(stopSequences?.length && { stop: stopSequences }),
    ...(reasoningEffort && { reasoning_effort: reasoningEffort }),
    ...(tools?.length && {
      tools: tools.map(({ name, description, inputSchema }) => ({
        type: 'function' as const,
        function: { name, description, parameters: inputSchema },
      })),
    }),
    ...(outputSchema && {
      response_format: {
        type: 'json_schema' as const,
        json_schema: { name: 'answer', schema: outputSchema, strict: isStrictSchema(outputSchema) },
      },
    }),
  };
}

/** OpenAI's models that reason, wherever they are served from. */
const ownReasoning = /^(o\d|gpt-([5-9]|\d\d))/;

/**
 * OpenAI wants `max_completion_tokens`, and of its reasoning models accepts nothing else. Ollama knows `max_tokens`
 * alone, and overlooks the other in silence; vLLM, llama.cpp and LM Studio know both. Both at once OpenAI refuses.
 */
function maxTokensParam(
  maxTokens: number,
  openai: boolean,
): { max_completion_tokens: number } | { max_tokens: number } {
  return openai ? { max_completion_tokens: maxTokens } : { max_tokens: maxTokens };
}

/**
 * Models that reason by default, and in chat completions call tools only where they are told not to: "Function tools
 * with reasoning_effort are not supported … in /v1/chat/completions".
 */
const reasonsOrCalls = /^gpt-(5\.[4-9]|[6-9])/;

/** How hard to think: chat completions know no budget, so it is the nearest word for it. */
function effortOf(
  { thinking, tools }: ProviderRequest,
  model: string,
): 'none' | 'low' | 'medium' | 'high' | undefined {
  if (tools?.length && reasonsOrCalls.test(model)) return 'none';
  if (!thinking) return undefined;
  if (thinking.type === 'adaptive') return 'medium';
  if (thinking.budgetTokens < 4096) return 'low';
  return thinking.budgetTokens < 16_384 ? 'medium' : 'high';
}

function messageParam(turn: ChatTurn): OpenAI.ChatCompletionMessageParam {
  switch (turn.role) {
    case 'user':
      return { role: 'user', content: turn.text };
    case 'assistant':
      return {
        role: 'assistant',
        content: turn.text || null,
        ...(turn.calls.length && {
          tool_calls: turn.calls.map(({ id, name, json }) => ({
            id,
            type: 'function' as const,
            function: { name, arguments: json },
          })),
        }),
      };
    case 'tool':
      return { role: 'tool', tool_call_id: turn.callId, content: turn.text };
  }
}
