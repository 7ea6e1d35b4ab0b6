/** The program cannot start. The message is one line that says what to do about it; no stack trace is needed. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
