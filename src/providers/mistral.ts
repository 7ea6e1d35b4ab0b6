import { HTTPClient, Mistral } from '@mistralai/mistralai';
import type { ContentChunk, ToolCall, UsageInfo } from '@mistralai/mistralai/models/components';
import { MistralError } from '@mistralai/mistralai/models/errors';
import type { ApiUsage } from '../domain/content.js';
import { ChatChunks, type ChatPart } from './chat-chunks.js';
import { mistralRequest } from './mistral-request.js';
import { mistralSignature } from './mistral-signature.js';
import { connectionError, statusError } from './provider-errors.js';
import { ProviderError, type Provider } from './provider.js';
import { createSdkProvider, type SdkCall } from './sdk-provider.js';

export interface MistralSettings {
  apiKey: string;
  /** Root without `/v1`; by default Mistral's own. */
  baseUrl?: string;
}

/**
 * Mistral's chat completions through its SDK.
 *
 * @throws TypeError for an API key that cannot stand in an HTTP header, without showing it.
 */
export function createMistralProvider({ apiKey, baseUrl }: MistralSettings): Provider {
  const clientOf = ({ fetch, signal }: SdkCall) =>
    new Mistral({
      apiKey,
      serverURL: baseUrl,
      retryConfig: { strategy: 'none' },
      httpClient: new HTTPClient({ fetcher: fetcherOf(fetch, signal) }),
    });

  const prepare = ({ request }: SdkCall) => {
    const { params, prefill } = mistralRequest(request);
    const omitThinking = request.thinking?.display === 'omitted';
    return { params, chunks: new ChatChunks({ repeated: prefill, omitThinking }) };
  };

  return createSdkProvider({
    name: 'mistral',
    apiKey,

    async *stream(call) {
      const { params, chunks } = prepare(call);
      const events = await clientOf(call).chat.stream({ ...params, stream: true }, { signal: call.signal });
      for await (const { data } of events) {
        const { id, model, choices, usage } = data;
        const [choice] = choices;
        yield* chunks.map({
          id,
          model,
          parts: choice ? [...partsOf(choice.delta)] : [],
          finishReason: finishReasonOf(choice),
          ...(usage && { usage: usageOf(usage) }),
        });
      }
      yield* chunks.end();
    },

    async complete(call) {
      const { params, chunks } = prepare(call);
      const { id, model, choices, usage } = await clientOf(call).chat.complete(params, {
        signal: call.signal,
      });
      const [choice] = choices;
      if (!choice?.message) throw new TypeError('The answer has no choice.');
      const parts = [...partsOf(choice.message)];
      const finishReason = finishReasonOf(choice);
      return [...chunks.map({ id, model, parts, finishReason, usage: usageOf(usage) }), ...chunks.end()];
    },

    toError: (error) => providerError(error, apiKey),
  });
}

/** The SDK asks with a `Request` of Node's own fetch: taken apart, since other fetches do not know it. */
function fetcherOf(fetch: SdkCall['fetch'], signal: AbortSignal) {
  return async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const { url, method, headers, body } = new Request(input, init);
    return fetch(url, { method, headers: [...headers], body: await new Response(body).text(), signal });
  };
}

interface Message {
  content?: string | ContentChunk[] | null;
  toolCalls?: ToolCall[] | null;
}

function* partsOf({ content, toolCalls }: Message): Iterable<ChatPart> {
  if (typeof content === 'string') yield { type: 'text', text: content };
  else for (const chunk of content ?? []) yield* contentParts(chunk);
  for (const [at, { id, index, function: called }] of (toolCalls ?? []).entries()) {
    const { name, arguments: input } = called;
    yield {
      type: 'call',
      // The SDK makes 0 and `null` of what is not there.
      index: index || at,
      id: id === 'null' ? undefined : id,
      name,
      json: typeof input === 'string' ? input : JSON.stringify(input),
    };
  }
}

/** Text and thinking; there is no other content in an answer to a request of ours. */
function* contentParts(chunk: ContentChunk): Iterable<ChatPart> {
  if (chunk.type === 'text') yield { type: 'text', text: chunk.text };
  if (chunk.type !== 'thinking') return;
  for (const thought of chunk.thinking) if ('text' in thought) yield { type: 'thinking', text: thought.text };
  if (chunk.signature) yield { type: 'signature', signature: mistralSignature + chunk.signature };
}

function finishReasonOf(choice: { finishReason: string | null } | undefined): string | null {
  if (choice?.finishReason !== 'error') return choice?.finishReason ?? null;
  throw new ProviderError('provider_error', 'Mistral had an error of its own.', {
    provider: 'mistral',
    statusCode: null,
    retryable: true,
  });
}

/** Mistral counts what was read from its cache among the prompt; the Messages API does not. */
function usageOf({
  promptTokens = 0,
  completionTokens = 0,
  prompt_tokens_details: details,
}: UsageInfo): ApiUsage {
  const { cached_tokens: cached } = (details ?? {}) as { cached_tokens?: unknown };
  const read = typeof cached === 'number' ? cached : 0;
  return {
    input_tokens: Math.max(0, promptTokens - read),
    output_tokens: completionTokens,
    cache_read_input_tokens: read,
  };
}

function providerError(error: unknown, apiKey: string): ProviderError {
  // A good status with a body that makes no sense is no refusal.
  if (!(error instanceof MistralError) || error.statusCode < 300) return connectionError('mistral', error);
  return statusError({
    provider: 'mistral',
    statusCode: error.statusCode,
    headers: error.headers,
    detail: detailOf(error.body),
    apiKey,
    cause: error,
  });
}

/** What an error says: `message` is a text, or in answers with 422 an object; without it, it is `detail`. */
function detailOf(body: string): string | null {
  try {
    const { message, detail } = JSON.parse(body) as { message?: unknown; detail?: unknown };
    const told = message ?? detail ?? null;
    return told === null || typeof told === 'string' ? told : JSON.stringify(told);
  } catch {
    return null;
  }
}
