import type { ErrorCode, FieldError } from '../domain/errors.js';

/** `unreachable`: no answer came. `timeout`: none in time. `aborted` is never wrapped: the signal's reason is thrown. */
export type ClientErrorCode = ErrorCode | 'unreachable' | 'timeout';

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
