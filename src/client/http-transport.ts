import type { FieldError } from '../domain/errors.js';
import type { RequestOptions } from './http-types.js';
import { TokencastError, type ClientErrorCode } from './tokencast-error.js';

export interface TokencastHttpOptions {
  /** Root of the server without a trailing slash; default: the page's own. */
  baseUrl?: string;
  /** The token of the moment; asked before every request. */
  getToken?: () => string | null;
  fetch?: typeof fetch;
}

/** One request and its answer: who asks, how long it may take, and what is told when it fails. */
export class HttpTransport {
  readonly #baseUrl: string;
  readonly #getToken: () => string | null;
  readonly #fetch: typeof fetch;

  constructor({ baseUrl = '', getToken = () => null, fetch = globalThis.fetch }: TokencastHttpOptions) {
    this.#baseUrl = baseUrl;
    this.#getToken = getToken;
    this.#fetch = (input, init) => fetch(input, init);
  }

  /** Sends a form as it is, anything else as JSON. */
  async request<T>(
    method: string,
    path: string,
    body: unknown,
    read: (response: Response) => Promise<T>,
    { signal, idempotencyKey, timeoutMs = 10_000 }: RequestOptions = {},
    send = this.#fetch,
  ): Promise<T> {
    const token = this.#getToken();
    const isForm = body instanceof FormData;
    const headers: Record<string, string> = { accept: 'application/json, */*;q=0.5' };
    if (token) headers.authorization = `Bearer ${token}`;
    // A form's type has its boundary in it, which is made with the request.
    if (body !== undefined && !isForm) headers['content-type'] = 'application/json';
    if (idempotencyKey) headers['idempotency-key'] = idempotencyKey;
    // Not AbortSignal.any: Node 20 keeps all that was ever joined with a signal for as long as that lives.
    const aborting = new AbortController();
    const abort = () => {
      aborting.abort(signal?.reason);
    };
    signal?.addEventListener('abort', abort);
    if (signal?.aborted) abort();
    const timer = setTimeout(abort, timeoutMs);
    try {
      const response = await send(this.#baseUrl + path, {
        method,
        headers,
        body: body === undefined ? null : isForm ? body : JSON.stringify(body),
        signal: aborting.signal,
      });
      if (!response.ok) throw await problemOf(response);
      return await read(response);
    } catch (error) {
      if (error instanceof TokencastError) throw error;
      signal?.throwIfAborted();
      if (aborting.signal.aborted) {
        const seconds = Math.round(timeoutMs / 1000);
        throw new TokencastError('timeout', `The server did not answer within ${seconds} s.`, {
          cause: error,
        });
      }
      throw new TokencastError('unreachable', 'The server cannot be reached.', { cause: error });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }
}

interface Problem {
  code?: ClientErrorCode;
  title?: string;
  detail?: string;
  errors?: FieldError[];
}

/** Proxies answer with pages of their own: what is no problem document gets a plain sentence. */
export async function problemOf(response: Response): Promise<TokencastError> {
  const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
  const problem = isJson ? ((await response.json().catch(() => ({}))) as Problem) : {};
  const retryAfterSeconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return new TokencastError(
    problem.code ?? (response.status >= 500 ? 'unavailable' : 'invalid_request'),
    problem.detail ?? problem.title ?? `The server answered ${response.status}.`,
    {
      status: response.status,
      errors: problem.errors ?? [],
      ...(Number.isFinite(retryAfterSeconds) && { retryAfterSeconds }),
    },
  );
}
