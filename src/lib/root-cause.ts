/**
 * The error behind its wrappers. What is logged is this one alone: the wrappers of drizzle carry the values of the
 * query, which is what people wrote.
 */
export function rootCause(error: unknown): unknown {
  let cause = error;
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause;
  return cause;
}

/** Why something failed, in one line for the log. */
export const reasonOf = (error: unknown): string => String(rootCause(error));
