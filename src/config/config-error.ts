/** A setting is wrong. The message is one line: the variable, what is wrong with it, what is allowed; never a secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(
    readonly variable: string,
    problem: string,
  ) {
    super(`${variable} ${problem}`);
  }
}
