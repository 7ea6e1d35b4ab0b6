import type { GenerationErrorCode } from '../src/domain/generation.js';

/** Why a generation cannot come to its end, in words for users: what is neither the provider's fault nor a stop. */
export class GenerationFailure extends Error {
  override readonly name = 'GenerationFailure';

  constructor(
    readonly code: GenerationErrorCode,
    message: string,
  ) {
    super(message);
  }
}
