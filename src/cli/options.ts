import { InvalidArgumentError, Option, type Command } from 'commander';

/** What commands that talk to a server have in common. */

/** The server, and who one is there. */
export interface ServerOptions {
  /** Without a trailing slash. */
  url: string;
  token?: string;
}

/** What {@link withGuestOptions} adds. */
export interface GuestOptions extends ServerOptions {
  /** The name of the guest to be, where no token is given. */
  name?: string;
}

export function whole(min: number, max: number) {
  return (value: string): number => {
    const number = Number(value);
    if (!/^\d{1,9}$/.test(value) || number < min || number > max)
      throw new InvalidArgumentError(`It has to be a number from ${min} to ${max}.`);
    return number;
  };
}

/** As earlier runs know it, however it is written. */
function address(value: string): string {
  if (!/^https?:\/\//.test(value) || !URL.canParse(value))
    throw new InvalidArgumentError('It has to begin with http:// or https://.');
  return value.replace(/\/+$/, '');
}

/** `--url` */
export const urlOption = () =>
  new Option('--url <address>', 'the server').env('TOKENCAST_URL').argParser(address);

const defaultUrl = 'http://127.0.0.1:3000';

/** Adds `--url` and `--token`. Whose things they are is said by `what`. */
export const withServerOptions = (command: Command, what: string): Command =>
  command
    .addOption(urlOption().default(defaultUrl))
    // Its default is not shown: it is a secret.
    .option('--token <token>', `${what}; also TOKENCAST_TOKEN`);

/** Adds `--url`, `--token` and `--name`. */
export const withGuestOptions = (command: Command): Command =>
  withServerOptions(command, 'who you are; by default a guest, who is kept for the next time').option(
    '--name <name>',
    'the guest’s name; by default that of your account on this machine',
  );

/** The token of the options, else that of the environment. */
export function givenToken({ token }: Pick<ServerOptions, 'token'>): string | undefined {
  return token ?? (process.env.TOKENCAST_TOKEN || undefined);
}
