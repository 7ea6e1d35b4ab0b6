/** What is at the bottom of an error, in one line: causes and the errors of all tried addresses are looked into. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  return error.message.split('\n')[0] || ('code' in error ? String(error.code) : error.name);
}
