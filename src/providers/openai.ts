import OpenAI, { APIError } from 'openai';
import type { ApiUsage } from '../domain/content.js';
import { ChatChunks, type ChatPart, type ChatPiece } from './chat-chunks.js';
import { openaiRequest } from './openai-request.js';
import { connectionError, outOfFunds, statusError, streamError } from './provider-errors.js';
import type { Provider, ProviderError } from './provider.js';
import { createSdkProvider, noTimeoutMs, type SdkCall } from './sdk-provider.js';

export interface OpenaiSettings {
  apiKey: string;
  /** With `/v1`; by default OpenAI's own. */
  baseUrl?: string;
}

/**
 * OpenAI's chat completions, and whatever speaks them: Ollama, vLLM, llama.cpp, LM Studio, gateways.
 *
 * @throws TypeError for an API key that cannot stand in an HTTP header, without showing it.
 */
export function createOpenaiProvider({ apiKey, baseUrl }: OpenaiSettings): Provider {
  const official = !baseUrl || new URL(baseUrl).hostname.endsWith('.openai.com');

  const clientOf = ({ fetch }: SdkCall) =>
    new OpenAI({
      apiKey,
      fetch: fetch as typeof globalThis.fetch,
      // Null instead of undefined keeps the SDK from reading the environment itself.
      baseURL: baseUrl ?? null,
      adminAPIKey: null,
      organization: null,
      project: null,
      webhookSecret: null,
      maxRetries: 0,
      timeout: noTimeoutMs,
      logLevel: 'off',
    });

  const chunksOf = ({ thinking }: SdkCall['request']) =>
    new ChatChunks({ omitThinking: thinking?.display === 'omitted' });

  return createSdkProvider({
    name: 'openai',
    apiKey,

    async *stream(call) {
      const params = openaiRequest(call.request, official);
      const chunks = chunksOf(call.request);
      const pieces = await clientOf(call).chat.completions.create(
        { ...params, stream: true, stream_options: { include_usage: true } },
        { signal: call.signal },
      );
      for await (const { id, model, choices, usage } of pieces) {
        const [choice] = choices as (StreamChoice | undefined)[];
        yield* chunks.map(pieceOf({ id, model, choice, message: choice?.delta, usage }));
        // The usage comes last; servers that do not tell it may keep the connection open all the same.
        if (chunks.finished) call.endSoon();
      }
      yield* chunks.end();
    },

    async complete(call) {
      const params = openaiRequest(call.request, official);
      const chunks = chunksOf(call.request);
      const { id, model, choices, usage } = await clientOf(call).chat.completions.create(
        { ...params, stream: false },
        { signal: call.signal },
      );
      const [choice] = choices as (Choice | undefined)[];
      if (!choice) throw new TypeError('The answer has no choice.');
      return [...chunks.map(pieceOf({ id, model, choice, message: choice.message, usage })), ...chunks.end()];
    },

    toError: (error) => providerError(error, apiKey),
  });
}

type StreamChoice = OpenAI.ChatCompletionChunk.Choice;
type Choice = OpenAI.ChatCompletion.Choice;

/** What other servers add to a choice and its message. */
interface Extensions {
  /** vLLM: the stop sequence, or the number of a token. */
  stop_reason?: string | number | null;
  /** DeepSeek, vLLM, llama.cpp. */
  reasoning_content?: string | null;
  /** Ollama, OpenRouter. */
  reasoning?: string | null;
}

interface Source {
  id: string;
  model: string;
  choice: StreamChoice | Choice | undefined;
  message: StreamChoice['delta'] | Choice['message'] | undefined;
  usage: OpenAI.CompletionUsage | null | undefined;
}

function pieceOf({ id, model, choice, message, usage }: Source): ChatPiece {
  const { stop_reason: stop } = (choice ?? {}) as Extensions;
  return {
    id,
    model,
    parts: message ? [...partsOf(message)] : [],
    finishReason: choice?.finish_reason,
    stopSequence: typeof stop === 'string' ? stop : null,
    ...(usage && { usage: usageOf(usage) }),
  };
}

function* partsOf(message: NonNullable<Source['message']>): Iterable<ChatPart> {
  const { reasoning_content, reasoning } = message as Extensions;
  const thinking = reasoning_content ?? reasoning;
  if (typeof thinking === 'string') yield { type: 'thinking', text: thinking };
  if (message.content) yield { type: 'text', text: message.content };
  if (message.refusal) yield { type: 'refusal', text: message.refusal };
  for (const [at, call] of (message.tool_calls ?? []).entries()) {
    if (call.type === 'custom') continue;
    yield {
      type: 'call',
      index: 'index' in call ? call.index : at,
      id: call.id,
      name: call.function?.name,
      json: call.function?.arguments ?? '',
    };
  }
}

/** OpenAI counts what was read from and written to its cache among the prompt; the Messages API does not. */
function usageOf({
  prompt_tokens,
  completion_tokens,
  prompt_tokens_details,
}: OpenAI.CompletionUsage): ApiUsage {
  const { cached_tokens: read = 0, cache_write_tokens: written = 0 } = prompt_tokens_details ?? {};
  return {
    input_tokens: Math.max(0, prompt_tokens - read - written),
    output_tokens: completion_tokens,
    cache_read_input_tokens: read,
    cache_creation_input_tokens: written,
  };
}

function providerError(error: unknown, apiKey: string): ProviderError {
  const answer = error instanceof APIError ? (error as APIError) : undefined;
  // No status and no body: the connection failed. A body alone: an error in mid-stream.
  if (!answer || (answer.status ?? answer.error) === undefined) return connectionError('openai', error);
  const failure = {
    provider: 'openai' as const,
    statusCode: answer.status ?? statusOf(answer),
    headers: answer.headers ?? new Headers(),
    detail: detailOf(answer.error),
    apiKey,
    cause: error,
  };
  if (answer.code === 'insufficient_quota') return outOfFunds(failure);
  return answer.status === undefined ? streamError(failure) : statusError(failure);
}

/** The HTTP status that an error in mid-stream amounts to: vLLM gives it as its code, OpenAI a word. */
function statusOf({ code, type }: APIError): number {
  const status = Number(code);
  if (status >= 400 && status < 600) return status;
  if (code === 'rate_limit_exceeded') return 429;
  return type === 'invalid_request_error' ? 400 : 500;
}

function detailOf(body: unknown): string | null {
  const { message } = (body ?? {}) as { message?: unknown };
  return typeof message === 'string' ? message : null;
}
