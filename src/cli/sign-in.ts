import { TokencastError, TokencastHttp, type User } from '../client/index.js';
import { givenToken, type GuestOptions } from './options.js';
import { patiently } from './patiently.js';
import { readGuestToken, writeGuestToken } from './guest-tokens.js';
import { userInfo } from 'node:os';

/** Somebody at a server. */
export interface SignedIn {
  url: string;
  http: TokencastHttp;
  token: string;
  user: User;
}

interface SignInOptions {
  url: string;
  /** Given by the user: it is to be given anew when it has ended. */
  token: string | undefined;
  /** Of the guest of an earlier time. */
  kept: string | undefined;
  /** The name of the guest to be. */
  name: string;
  keep: (token: string) => Promise<void>;
  signal?: AbortSignal;
}

/** Where nobody answers at once, the address is wrong. */
const triesAtFirst = 3;

/** Goes on under the given token, else as the guest of an earlier time, else as a new one. @throws TokencastError */
export async function signInAs(options: SignInOptions): Promise<SignedIn> {
  const { url, name, keep, signal } = options;
  let token = options.token ?? options.kept ?? null;
  const http = new TokencastHttp({ baseUrl: url, getToken: () => token });
  const at = <T>(action: () => Promise<T>) => patiently(action, signal, triesAtFirst);
  if (token !== null) {
    try {
      const { user } = await at(() => http.getMe({ signal }));
      return { url, http, token, user };
    } catch (error) {
      // The session of a guest ends some day.
      const hasEnded = error instanceof TokencastError && error.code === 'unauthenticated';
      if (options.token !== undefined || !hasEnded) throw error;
    }
  }
  token = null;
  const session = await at(() => http.createSession(name, { signal }));
  token = session.token;
  await keep(token);
  return { url, http, token, user: session.user };
}

/** Signs in for a command: with its token, else as the guest of this name. @throws TokencastError */
export async function signIn(options: GuestOptions, signal?: AbortSignal): Promise<SignedIn> {
  const { url, name = userInfo().username } = options;
  const token = givenToken(options);
  return signInAs({
    url,
    token,
    kept: token === undefined ? await readGuestToken(url, name) : undefined,
    name,
    keep: (made) => writeGuestToken(url, name, made),
    ...(signal && { signal }),
  });
}
