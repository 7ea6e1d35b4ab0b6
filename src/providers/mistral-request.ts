import { createHash } from 'node:crypto';
import type {
  ChatCompletionRequest,
  ChatCompletionRequestMessage,
  ContentChunk,
} from '@mistralai/mistralai/models/components';
import type { ThinkingBlock } from '../domain/content.js';
import { chatTurns, type ChatTurn } from './chat-turns.js';
import { mistralSignature } from './mistral-signature.js';
import type { ProviderRequest } from './provider.js';
import { isStrictSchema } from './strict-schema.js';

/**
 * The request as Mistral wants it: an answer that goes on from a prefill is asked for by `prefix`; ids of tool calls
 * have nine letters and digits; and between a tool's result and the user stands an answer. `prefill` is the text that
 * Mistral may begin its answer with.
 */
export function mistralRequest(request: ProviderRequest): { params: ChatCompletionRequest; prefill: string } {
  const { model, temperature, topP, stopSequences, tools, outputSchema } = request;
  const turns = withAnswersToTools(chatTurns(request));
  const last = turns.at(-1);
  const prefill = last?.role === 'assistant' && !last.calls.length ? last.text : '';
  return {
    prefill,
    params: {
      model,
      messages: [
        ...(request.system?.trim() ? [{ role: 'system' as const, content: request.system }] : []),
        ...turns.map((turn) => messageParam(turn, prefill !== '' && turn === last)),
      ],
      maxTokens: request.maxTokens,
      ...(temperature !== undefined && { temperature }),
      ...(topP !== undefined && { topP }),
      ...(stopSequences?.length && { stop: [...stopSequences] }),
      // Without thinking a prefill would have to be closed first.
      ...(!prefill && thinkingParam(request)),
      ...(tools?.length && {
        tools: tools.map(({ name, description, inputSchema }) => ({
          type: 'function' as const,
          function: { name, description, parameters: inputSchema },
        })),
      }),
      ...(outputSchema && {
        responseFormat: {
          type: 'json_schema' as const,
          jsonSchema: {
            name: 'answer',
            schemaDefinition: outputSchema,
            strict: isStrictSchema(outputSchema),
          },
        },
      }),
    },
  };
}

/** The magistral models always reason, others on demand: https://docs.mistral.ai/capabilities/reasoning */
function thinkingParam({ model, thinking }: ProviderRequest): Partial<ChatCompletionRequest> {
  if (!thinking) return {};
  return model.startsWith('magistral') ? { promptMode: 'reasoning' } : { reasoningEffort: 'high' };
}

/** Mistral refuses a user's message right after a tool's result, as a cancelled answer leaves them. */
function withAnswersToTools(turns: readonly ChatTurn[]): ChatTurn[] {
  return turns.flatMap((turn, at) =>
    turn.role === 'user' && turns[at - 1]?.role === 'tool'
      ? [{ role: 'assistant' as const, text: '…', thinking: [], calls: [] }, turn]
      : [turn],
  );
}

function messageParam(turn: ChatTurn, prefix: boolean): ChatCompletionRequestMessage {
  switch (turn.role) {
    case 'user':
      return { role: 'user', content: turn.text };
    case 'assistant':
      return {
        role: 'assistant',
        content: turn.thinking.length && !prefix ? thinkingAndText(turn) : turn.text,
        ...(turn.calls.length && {
          toolCalls: turn.calls.map(({ id, name, json }, index) => ({
            id: callId(id),
            index,
            function: { name, arguments: json },
          })),
        }),
        ...(prefix && { prefix }),
      };
    case 'tool':
      return { role: 'tool', toolCallId: callId(turn.callId), name: turn.name, content: turn.text };
  }
}

function thinkingAndText({ thinking, text }: Extract<ChatTurn, { role: 'assistant' }>): ContentChunk[] {
  return [
    ...thinking.filter(isOurs).map(({ thinking: thought, signature }) => ({
      type: 'thinking' as const,
      thinking: [{ type: 'text' as const, text: thought }],
      ...(signature && { signature: signature.slice(mistralSignature.length) }),
      closed: true,
    })),
    { type: 'text', text },
  ];
}

/** Thinking without a signature is Mistral's or as good as that. */
function isOurs({ signature, thinking }: ThinkingBlock): boolean {
  return thinking !== '' && (signature === '' || signature.startsWith(mistralSignature));
}

/** The id itself where Mistral takes it, else one that is made from it. */
function callId(id: string): string {
  return /^[a-zA-Z0-9]{9}$/.test(id) ? id : createHash('sha256').update(id).digest('hex').slice(0, 9);
}
