import Anthropic, { APIError } from '@anthropic-ai/sdk';
import type { ProviderName } from '../domain/models.js';
import { AnthropicChunks, eventsOf } from './anthropic-chunks.js';
import { AnthropicEvents } from './anthropic-events.js';
import { anthropicRequest } from './anthropic-request.js';
import { connectionError, statusError, streamError } from './provider-errors.js';
import type { Provider, ProviderError } from './provider.js';
import { createSdkProvider, noTimeoutMs, type SdkCall } from './sdk-provider.js';

export interface AnthropicSettings {
  apiKey: string;
  /** Root without `/v1`; by default Anthropic's own. */
  baseUrl?: string;
  /** The name under which it appears, for other services with the same wire format. */
  name?: ProviderName;
}

/**
 * Claude through the Anthropic SDK, from its raw events, without its retries and timeouts.
 *
 * @throws TypeError for an API key that cannot stand in an HTTP header, without showing it.
 */
export function createAnthropicProvider({
  apiKey,
  baseUrl,
  name = 'anthropic',
}: AnthropicSettings): Provider {
  const clientOf = ({ fetch }: SdkCall) =>
    new Anthropic({
      apiKey,
      fetch: fetch as typeof globalThis.fetch,
      // Null instead of undefined keeps the SDK from reading the environment itself.
      baseURL: baseUrl ?? null,
      maxRetries: 0,
      timeout: noTimeoutMs,
      logLevel: 'off',
    });

  const prepare = ({ request }: SdkCall) => {
    const { params, trailingSpace } = anthropicRequest(request);
    const omitThinking = request.thinking?.display === 'omitted';
    return { params, chunks: new AnthropicChunks({ trailingSpace, omitThinking }) };
  };

  return createSdkProvider({
    name,
    apiKey,

    async *stream(call) {
      const { params, chunks } = prepare(call);
      const response = await clientOf(call)
        .messages.create({ ...params, stream: true }, { signal: call.signal })
        .asResponse();
      if (!response.body) return;
      const events = new AnthropicEvents(response.headers);
      const reader = response.body.getReader();
      try {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) return;
          for (const event of events.add(value)) {
            const chunk = chunks.map(event);
            if (chunk) yield chunk;
          }
          if (events.failure) throw events.failure;
        }
      } finally {
        await reader.cancel().catch(() => undefined);
      }
    },

    async complete(call) {
      const { params, chunks } = prepare(call);
      const message = await clientOf(call).messages.create(
        { ...params, stream: false },
        { signal: call.signal },
      );
      return [...eventsOf(message)].flatMap((event) => chunks.map(event) ?? []);
    },

    toError: (error) => providerError(error, name, apiKey),
  });
}

function providerError(error: unknown, provider: ProviderName, apiKey: string): ProviderError {
  const answer = error instanceof APIError ? (error as APIError) : undefined;
  // No status and no body: the connection failed. A body alone: an `error` event in mid-stream.
  if (!answer || (answer.status ?? answer.error) === undefined) return connectionError(provider, error);
  const failure = {
    provider,
    statusCode: answer.status ?? statusOfType(answer.type),
    headers: answer.headers ?? new Headers(),
    detail: answer.apiMessage ?? null,
    apiKey,
    cause: error,
  };
  return answer.status === undefined ? streamError(failure) : statusError(failure);
}

/** The HTTP status that belongs to a type of error: https://docs.anthropic.com/en/api/errors */
function statusOfType(type: string | null): number {
  switch (type) {
    case 'invalid_request_error':
      return 400;
    case 'authentication_error':
      return 401;
    case 'billing_error':
      return 402;
    case 'permission_error':
      return 403;
    case 'not_found_error':
      return 404;
    case 'request_too_large':
      return 413;
    case 'rate_limit_error':
      return 429;
    case 'timeout_error':
      return 504;
    case 'overloaded_error':
      return 529;
    default:
      return 500;
  }
}
