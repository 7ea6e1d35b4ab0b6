import type { ProviderName } from '../domain/models.js';
import { ProviderError } from './provider.js';
import { headOf } from './response-head.js';

const titles: Record<ProviderName, string> = {
  anthropic: 'Anthropic',
  mistral: 'Mistral',
  openai: 'OpenAI',
  demo: 'The demo model',
};

const maxDetailLength = 300;

interface StatusFailure {
  provider: ProviderName;
  statusCode: number;
  headers: Headers;
  /** What the provider says is wrong with the request; told to the user where it is the request's fault. */
  detail: string | null;
  /** Never told, should the detail hold it. */
  apiKey: string;
  cause?: unknown;
}

/** What an answer with this HTTP status means for the generation. */
export function statusError(failure: StatusFailure): ProviderError {
  const { provider, statusCode, headers, cause } = failure;
  const title = titles[provider];
  const common = {
    provider,
    statusCode,
    retryAfterMs: retryAfterMs(headers),
    head: headOf(provider, headers),
    cause,
  };
  switch (statusCode) {
    case 401:
    case 403:
      return new ProviderError('provider_auth', `${title} did not accept the API key.`, {
        ...common,
        retryable: false,
      });
    case 429:
      return new ProviderError('provider_rate_limited', `${title} asks to slow down.`, {
        ...common,
        retryable: true,
      });
    case 503:
    case 529:
      return new ProviderError('provider_overloaded', `${title} is overloaded.`, {
        ...common,
        retryable: true,
      });
  }
  if (statusCode >= 500 || statusCode === 408 || statusCode === 409) {
    return new ProviderError('provider_error', `${title} had an error of its own.`, {
      ...common,
      retryable: true,
    });
  }
  if (statusCode < 400) {
    const message = `${title} redirects the request, which is not followed: its base URL has to be another.`;
    return new ProviderError('provider_error', message, { ...common, retryable: false });
  }
  const detail = failure.detail?.replaceAll(failure.apiKey, '…').slice(0, maxDetailLength);
  const message = `${title} refused the request${detail ? `: ${detail}` : '.'}`;
  return new ProviderError('provider_error', message, { ...common, retryable: false });
}

/** What an error in mid-stream means, where there is no status of HTTP but what it says amounts to one. */
export function streamError(failure: StatusFailure): ProviderError {
  const { code, message, provider, retryable, cause } = statusError(failure);
  return new ProviderError(code, message, { provider, statusCode: null, retryable, cause });
}

/** Nothing is left of what may be asked of the provider, as it has told with an answer before. */
export function nothingLeft(provider: ProviderName, waitMs: number): ProviderError {
  const message = `${titles[provider]} takes nothing more for ${Math.ceil(waitMs / 1000)} s.`;
  return new ProviderError('provider_rate_limited', message, {
    provider,
    statusCode: null,
    retryable: true,
    retryAfterMs: waitMs,
  });
}

/** The account at the provider is empty, which waiting does not change. */
export function outOfFunds({ provider, statusCode, cause }: StatusFailure): ProviderError {
  const message = `${titles[provider]} says that the account has no funds left.`;
  return new ProviderError('provider_error', message, { provider, statusCode, retryable: false, cause });
}

/** The provider was not reached, or what came from it makes no sense. */
export function connectionError(provider: ProviderName, cause: unknown): ProviderError {
  return new ProviderError('provider_error', `The connection to ${inSentence(provider)} failed.`, {
    provider,
    statusCode: null,
    retryable: true,
    cause,
  });
}

/** The stream ended without the event that ends an answer. */
export function endedEarly(provider: ProviderName): ProviderError {
  return new ProviderError('provider_error', `${titles[provider]} stopped in the middle of the answer.`, {
    provider,
    statusCode: null,
    retryable: true,
  });
}

/**
 * How long the provider asks to wait: `retry-after-ms`, else `retry-after` in seconds or as an HTTP date
 * (RFC 9110 §10.2.3). Null: it does not say, or not so that it can be understood.
 */
export function retryAfterMs(headers: Headers, nowMs = Date.now()): number | null {
  const milliseconds = decimal(headers.get('retry-after-ms'));
  if (milliseconds !== null) return milliseconds;
  const retryAfter = headers.get('retry-after');
  const seconds = decimal(retryAfter);
  if (seconds !== null) return seconds * 1000;
  const atMs = retryAfter === null ? NaN : Date.parse(retryAfter);
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs);
}

function decimal(value: string | null): number | null {
  return value !== null && /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : null;
}

function inSentence(provider: ProviderName): string {
  return titles[provider].replace(/^The /, 'the ');
}
