import type { ErrorRequestHandler, Request } from 'express';
import { errorCodes, type ErrorCode } from '../../domain/errors.js';
import type { GenerationError, GenerationHead } from '../../domain/generation.js';
import type { Logger } from '../../lib/logger.js';
import { logFault } from '../middleware/problem.js';
import { toAppError } from '../middleware/to-app-error.js';

/** https://docs.anthropic.com/en/api/errors */
type AnthropicErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'billing_error'
  | 'permission_error'
  | 'not_found_error'
  | 'conflict_error'
  | 'request_too_large'
  | 'rate_limit_error'
  | 'timeout_error'
  | 'api_error'
  | 'overloaded_error';

interface Fault {
  status: number;
  type: AnthropicErrorType;
}

/** An error as the Messages API tells it, as the body of an answer and as an event of a stream. */
export interface AnthropicError {
  type: 'error';
  error: { type: AnthropicErrorType; message: string };
  request_id: string;
}

export const anthropicError = (
  type: AnthropicErrorType,
  message: string,
  requestId: string,
): AnthropicError => ({ type: 'error', error: { type, message }, request_id: requestId });

/** By which logs and answers name it. */
export const requestIdOf = (req: Request): string => req.id as string;

const invalid: Fault = { status: 400, type: 'invalid_request_error' };
const notFound: Fault = { status: 404, type: 'not_found_error' };
const billing: Fault = { status: 402, type: 'billing_error' };
const conflict: Fault = { status: 409, type: 'conflict_error' };
const overloaded: Fault = { status: 529, type: 'overloaded_error' };
const ours: Fault = { status: 500, type: 'api_error' };
const tooLate: Fault = { status: 504, type: 'timeout_error' };

/** What is refused. An SDK tries again by itself at 408, 409, 429 and from 500 on. */
const faults: Record<ErrorCode, Fault> = {
  invalid_request: invalid,
  unauthenticated: { status: 401, type: 'authentication_error' },
  budget_exceeded: billing,
  forbidden: { status: 403, type: 'permission_error' },
  not_found: notFound,
  conversation_busy: conflict,
  generation_ended: conflict,
  nothing_to_continue: conflict,
  document_ended: conflict,
  document_running: conflict,
  payload_too_large: { status: 413, type: 'request_too_large' },
  unsupported_media_type: { ...invalid, status: errorCodes.unsupported_media_type.status },
  unsupported_model: notFound,
  unsupported_tool: invalid,
  unreadable_document: invalid,
  idempotency_key_reused: { ...invalid, status: errorCodes.idempotency_key_reused.status },
  rate_limited: { status: 429, type: 'rate_limit_error' },
  internal: ours,
  queue_full: overloaded,
  unavailable: overloaded,
};

/** What a run has failed of. That the provider takes our key for a wrong one is none of the caller's. */
const runFaults: Record<GenerationError['code'], Fault> = {
  provider_error: ours,
  provider_overloaded: overloaded,
  provider_rate_limited: { status: 429, type: 'rate_limit_error' },
  provider_auth: ours,
  provider_refused: invalid,
  timeout: tooLate,
  idle_timeout: tooLate,
  budget_exceeded: billing,
  worker_lost: ours,
  tool_failed: ours,
  schema_mismatch: ours,
  internal: ours,
};

/** What is told of an answer that was cancelled or has failed. `mayRetry` false: nobody wants it tried again. */
export function faultOfRun({
  status,
  error,
}: Pick<GenerationHead, 'status' | 'error'>): Fault & { message: string; mayRetry: boolean } {
  if (status === 'cancelled') return { ...conflict, message: 'The answer was cancelled.', mayRetry: false };
  if (!error) return { ...ours, message: 'The answer has failed.', mayRetry: true };
  const isRefused = error.code === 'provider_error' && error.statusCode === 400;
  return { ...(isRefused ? invalid : runFaults[error.code]), message: error.message, mayRetry: true };
}

/** The end of the line of the door: what went wrong in it, in Anthropic's form. */
export function anthropicErrors(log: Logger): ErrorRequestHandler {
  return (error, req, res, next) => {
    if (res.headersSent) {
      next(error);
      return;
    }
    const problem = toAppError(error);
    const { status, type } = faults[problem.code];
    logFault(log, req, problem);
    if (problem.retryAfterSeconds !== undefined) res.set('Retry-After', String(problem.retryAfterSeconds));
    res.status(status).json(anthropicError(type, problem.message, requestIdOf(req)));
  };
}
