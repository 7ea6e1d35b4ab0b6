/** The codes that HTTP answers and socket acknowledgements carry, with their HTTP status and title. */
export const errorCodes = {
  invalid_request: { status: 400, title: 'Invalid request' },
  unauthenticated: { status: 401, title: 'Not authenticated' },
  budget_exceeded: { status: 402, title: 'Budget exceeded' },
  forbidden: { status: 403, title: 'Forbidden' },
  not_found: { status: 404, title: 'Not found' },
  conversation_busy: { status: 409, title: 'Conversation busy' },
  generation_ended: { status: 409, title: 'Generation has ended' },
  nothing_to_continue: { status: 409, title: 'Nothing to continue' },
  document_ended: { status: 409, title: 'Document has ended' },
  document_running: { status: 409, title: 'Document is running' },
  payload_too_large: { status: 413, title: 'Payload too large' },
  unsupported_media_type: { status: 415, title: 'Unsupported media type' },
  unsupported_model: { status: 422, title: 'Unsupported model' },
  unsupported_tool: { status: 422, title: 'Unsupported tool' },
  unreadable_document: { status: 422, title: 'Unreadable document' },
  idempotency_key_reused: { status: 422, title: 'Idempotency key reused' },
  rate_limited: { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'Internal error' },
  queue_full: { status: 503, title: 'Queue full' },
  unavailable: { status: 503, title: 'Temporarily unavailable' },
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** One fault of one field of a request: where it is (`messages.0.content`) and what is wrong. */
export interface FieldError {
  path: string;
  message: string;
}

interface AppErrorDetails {
  errors?: FieldError[];
  /** Answered as `Retry-After`, in seconds. */
  retryAfterSeconds?: number;
  cause?: unknown;
}

/** What the product refuses or fails at, in words that the client may read. The only error that reaches clients. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly errors: FieldError[] | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    readonly code: ErrorCode,
    message: string,
    { errors, retryAfterSeconds, cause }: AppErrorDetails = {},
  ) {
    super(message, { cause });
    this.errors = errors;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** What is answered where as many generations wait as may. */
export const queueFull = (): AppError =>
  new AppError('queue_full', 'Too many generations are waiting.', { retryAfterSeconds: 5 });

/** What is answered where there is no such thing, and alike to those who may not know of it. */
export const noSuch = (thing: string): AppError => new AppError('not_found', `There is no such ${thing}.`);
