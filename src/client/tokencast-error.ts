import type { ErrorCode, FieldError } from '../domain/errors.js';
import type { GenerationError } from '../domain/generation.js';

/**
 * `unreachable`: no answer came. `timeout`: none in time. `gave_up`: as many tries failed as may, the last of them as
 * `cause` says. `generation_failed`: see {@link GenerationFailed}. An abort is never wrapped: the signal's reason is
 * thrown.
 */
export type ClientErrorCode = ErrorCode | 'unreachable' | 'timeout' | 'gave_up' | 'generation_failed';

interface TokencastErrorDetails {
  status?: number;
  errors?: FieldError[];
  retryAfterSeconds?: number;
  cause?: unknown;
}

/** What went wrong between this client and the server, in the server's words where it had any. */
export class TokencastError extends Error {
  override readonly name = 'TokencastError';
  /** HTTP status; 0 where there was no answer. */
  readonly status: number;
  readonly errors: readonly FieldError[];
  readonly retryAfterSeconds: number | undefined;

  constructor(
    readonly code: ClientErrorCode,
    readonly detail: string,
    { status = 0, errors = [], retryAfterSeconds, cause }: TokencastErrorDetails = {},
  ) {
    super(detail, { cause });
    this.status = status;
    this.errors = errors;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** Whether the same request may succeed when it is sent again later. */
  get retryable(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** The answer came to no good end; what was written before is kept. */
export class GenerationFailed extends TokencastError {
  constructor(
    readonly generationId: string,
    /** Why, in the words of the generation. */
    readonly failure: GenerationError | null,
  ) {
    super('generation_failed', failure?.message ?? 'The generation failed.');
  }
}

/** As many tries failed as may; the last of them in these words. */
export const gaveUp = (last: TokencastError): TokencastError =>
  new TokencastError('gave_up', `Gave up: ${last.detail}`, { status: last.status, cause: last });
