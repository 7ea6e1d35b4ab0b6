import type { Chunk, ContentBlock } from '../domain/content.js';
import type { GenerationErrorCode, GenerationOptions } from '../domain/generation.js';
import type { ProviderName } from '../domain/models.js';
import type { RateLimit } from '../domain/rate-limit.js';
import type { ToolDefinition } from '../domain/tools.js';

export interface ModelMessage {
  role: 'user' | 'assistant';
  content: ContentBlock[];
}

/** One call of a model. A last message of role `assistant` is a prefill: the model goes on from it. */
export interface ProviderRequest {
  model: string;
  system: string | null;
  messages: ModelMessage[];
  maxTokens: number;
  temperature?: number;
  topP?: number;
  stopSequences?: string[];
  thinking?: GenerationOptions['thinking'];
  /** Calls come as `tool_use` blocks, the stop reason being `tool_use`. */
  tools?: readonly ToolDefinition[];
  /**
   * JSON Schema of the answer, which then is JSON. Providers hold the model to it as far as they can: parts of a schema
   * that theirs does not know are mere advice, and nothing holds an answer that is cut off. Check what comes.
   */
  outputSchema?: Record<string, unknown>;
  /** The next call is likely to begin with all of this: worth keeping in the provider's prompt cache. */
  repeats?: boolean;
}

/** What the head of the provider's answer tells, before its body. */
export interface ResponseHead {
  requestId: string | null;
  /** Its rate-limit headers, lower case. */
  rateLimits: Record<string, string>;
  /** What they say. */
  limits: RateLimit[];
}

export interface CallOptions {
  /** Closes the connection to the provider at once, whatever the call is doing. */
  signal: AbortSignal;
  /** Called once, as soon as the status and headers of a good answer are there. */
  onResponse?: (head: ResponseHead) => void;
}

/** A service that runs models. Neither method retries: the worker does. */
export interface Provider {
  readonly name: ProviderName;
  /** Tells the accounts apart that it may be called with: a fingerprint of the key. */
  readonly account: string;

  /**
   * The answer as it is written, in the vocabulary of the Messages API, pings and unknown events left out.
   *
   * Ends after `message_stop` and only then; else it throws: a {@link ProviderError}, also where the stream ends
   * early, or the signal's reason once that has fired.
   */
  stream(request: ProviderRequest, options: CallOptions): AsyncIterable<Chunk>;

  /** The same answer from one blocking call, as the chunks that a stream would have brought. */
  complete(request: ProviderRequest, options: CallOptions): Promise<Chunk[]>;

  /** Frees what it holds. */
  close(): Promise<void>;
}

type ProviderErrorCode = Extract<GenerationErrorCode, `provider_${string}`>;

interface ProviderErrorDetails {
  provider: ProviderName;
  /** HTTP status; null where there was none: no connection, a break in mid-stream. */
  statusCode: number | null;
  /** Whether the same request may succeed later. */
  retryable: boolean;
  /** How long the provider asks to wait, from `retry-after-ms` or `retry-after`; null: it does not say. */
  retryAfterMs?: number | null;
  /** Of the answer that says so, where there was one. */
  head?: ResponseHead | null;
  cause?: unknown;
}

/** What a provider's failure means for the generation. The message is fit for users: no keys, no bodies. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError';
  readonly provider: ProviderName;
  readonly statusCode: number | null;
  readonly retryable: boolean;
  readonly retryAfterMs: number | null;
  readonly head: ResponseHead | null;

  constructor(
    readonly code: ProviderErrorCode,
    message: string,
    { provider, statusCode, retryable, retryAfterMs = null, head = null, cause }: ProviderErrorDetails,
  ) {
    super(message, { cause });
    this.provider = provider;
    this.statusCode = statusCode;
    this.retryable = retryable;
    this.retryAfterMs = retryAfterMs;
    this.head = head;
  }
}
