/** Why a file cannot be read. The message is for the person who sent it. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable';

  constructor(
    /** `unsupported`: of a kind that is not read; `unreadable`: of a known kind, but there is nothing to be had from it. */
    readonly reason: 'unsupported' | 'unreadable',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
