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
  readonly #http: TokencastHttp;
  #token: string;
  #renewing: Promise<void> | null = null;

  constructor(private readonly options: SessionTokensOptions) {
    const { url, token, fetch } = options;
    this.#token = token;
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
        this.options.onRenewed?.(session);
      })
      .finally(() => {
        this.#renewing = null;
      });
    return this.#renewing;
  };
}
