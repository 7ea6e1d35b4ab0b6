import { TokencastHttp } from './http.js';
import type { Session } from './http-types.js';

interface SessionTokensOptions {
  /** Root of the server; default: the page's own. */
  url?: string;
  /** The token to begin with. */
  token: string;
  /** Hears of every new session, to keep it. */
  onRenewed?: (session: Session) => void;
  fetch?: typeof fetch;
}

/** Holds the token of a session and renews it with the server: `getToken` and `renewToken` of every connection. */
export class SessionTokens {
  /** Whose tokens they are: a connection that is given this as its options goes there. */
  readonly url: string | undefined;
  readonly #http: TokencastHttp;
  readonly #onRenewed: ((session: Session) => void) | undefined;
  #token: string;
  #renewing: Promise<void> | null = null;

  constructor({ url, token, onRenewed, fetch }: SessionTokensOptions) {
    this.url = url;
    this.#token = token;
    this.#onRenewed = onRenewed;
    this.#http = new TokencastHttp({
      ...(url !== undefined && { baseUrl: url }),
      getToken: this.getToken,
      ...(fetch && { fetch }),
    });
  }

  readonly getToken = (): string => this.#token;

  /** Takes a fresh token of the same user. Who asks while one is on its way gets the same. @throws TokencastError */
  readonly renewToken = (): Promise<void> => {
    this.#renewing ??= this.#http
      .refreshSession()
      .then((session) => {
        this.#token = session.token;
        this.#onRenewed?.(session);
      })
      .finally(() => {
        this.#renewing = null;
      });
    return this.#renewing;
  };
}
