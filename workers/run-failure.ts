import type { GenerationError } from '../src/domain/generation.js';
import type { ProviderName } from '../src/domain/models.js';
import { ProviderError } from '../src/providers/provider.js';
import { GenerationFailure } from './generation-failure.js';
import type { StopKind } from './stop.js';

/** What of a stop is a failure. */
type FailingStop = Extract<StopKind, 'timeout' | 'idleTimeout' | 'firstTokenTimeout' | 'budget'>;

/**
 * What a generation says of its failure: of the stop, where there was one, else of the error. Code `internal`: it is ours.
 */
export function failureOf(
  stop: FailingStop | undefined,
  error: unknown,
  provider: ProviderName,
): GenerationError {
  const here = { provider: null, statusCode: null };
  const there = { provider, statusCode: null };
  switch (stop) {
    case 'timeout':
      return { code: 'timeout', message: 'The generation took too long.', ...there };
    case 'idleTimeout':
      return { code: 'idle_timeout', message: 'The model was silent for too long.', ...there };
    case 'firstTokenTimeout':
      return { code: 'idle_timeout', message: 'The model did not begin to answer in time.', ...there };
    case 'budget':
      return { code: 'budget_exceeded', message: 'The budget is used up.', ...here };
    case undefined:
  }
  if (error instanceof GenerationFailure) return { code: error.code, message: error.message, ...here };
  if (error instanceof ProviderError)
    return { code: error.code, message: error.message, provider, statusCode: error.statusCode };
  return { code: 'internal', message: 'Something went wrong here.', ...here };
}
