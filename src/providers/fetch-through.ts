import { Agent, type Dispatcher } from 'undici';

/** What arrives and is not read yet, in bytes; past it the connection waits. */
const maxUnread = 65_536;
/** A `Response` with one of these may have no body; what comes all the same is not kept. */
const withoutBody = new Set([204, 205, 304]);

/** What some gateways compress although they were asked not to. */
function decoded(body: ReadableStream<Uint8Array>, encoding: string | null): ReadableStream<Uint8Array> {
  const format = encoding?.toLowerCase().replace(/^x-/, '');
  if (format !== 'gzip' && format !== 'deflate') return body;
  // The types of the platform do not know that bytes are a source of bytes.
  const inflate = new DecompressionStream(format) as ReadableWritablePair<Uint8Array, Uint8Array>;
  return body.pipeThrough(inflate);
}

/**
 * `fetch` for the SDKs: takes a URL, and a body of text. A redirect is an answer, and not followed: the request holds a key,
 * in a header that its SDK knows, which is for the one that it was given to.
 */
export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** Connections of our own, and a `fetch` over them. */
export interface FetchAgent {
  fetch: Fetch;
  /** Closes all connections at once. */
  close(): Promise<void>;
}

/**
 * Connections that know no timeouts: a model may think for long, and its worker has clocks of its own.
 *
 * What arrives goes straight into the stream that is the body. undici's own `fetch` hands each piece on through a stream
 * of Node and a stream of bytes, which cost a worker more than all that it does with a chunk besides its append.
 */
export function createFetchAgent(): FetchAgent {
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 });
  return {
    fetch: (url, init) =>
      new Promise((resolve, reject) => {
        new Exchange(init?.signal ?? undefined, resolve, reject).begin(agent, url, init);
      }),
    close: () => agent.destroy(),
  };
}

/** One request and its answer. */
class Exchange implements Dispatcher.DispatchHandler {
  #connection: Dispatcher.DispatchController | undefined;
  #body: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor(
    private readonly signal: AbortSignal | undefined,
    private readonly resolve: (response: Response) => void,
    private readonly reject: (reason: unknown) => void,
  ) {}

  begin(dispatcher: Dispatcher, url: string, { method = 'GET', headers, body }: RequestInit = {}): void {
    this.signal?.throwIfAborted();
    if (body !== undefined && body !== null && typeof body !== 'string')
      throw new TypeError('The body of a request must be text.');
    const { origin, pathname, search } = new URL(url);
    // Text that comes in small pieces would gain little by it, and its pieces would wait for each other.
    const sent = new Headers(headers);
    if (!sent.has('accept-encoding')) sent.set('accept-encoding', 'identity');
    this.signal?.addEventListener('abort', this.#abort);
    dispatcher.dispatch(
      {
        origin,
        path: pathname + search,
        method,
        headers: Object.fromEntries(sent),
        body,
      },
      this,
    );
  }

  onRequestStart(connection: Dispatcher.DispatchController): void {
    this.#connection = connection;
    if (this.signal?.aborted) this.#abort();
  }

  onResponseStart(
    connection: Dispatcher.DispatchController,
    status: number,
    received: Record<string, string | string[] | undefined>,
    phrase = '',
  ): void {
    if (status < 200) return;
    const headers = new Headers();
    for (const [name, values] of Object.entries(received))
      for (const value of [values ?? []].flat()) headers.append(name, value);
    const plain = withoutBody.has(status)
      ? null
      : decoded(this.#open(connection), headers.get('content-encoding'));
    // A `Response` takes no other letters, and some proxies speak the language of where they stand.
    const statusText = /^[\t\x20-\x7e]*$/.test(phrase) ? phrase : '';
    this.resolve(new Response(plain, { status, statusText, headers }));
  }

  /** The body: what is received from here on, and waits at the sender unless it is read. */
  #open(connection: Dispatcher.DispatchController): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#body = controller;
        },
        pull: () => {
          if (connection.paused) connection.resume();
        },
        cancel: (reason) => {
          this.#body = undefined;
          connection.abort(reason instanceof Error ? reason : new Error('The answer is not read on.'));
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: maxUnread }),
    );
  }

  onResponseData(connection: Dispatcher.DispatchController, piece: Buffer): void {
    this.#body?.enqueue(piece);
    if ((this.#body?.desiredSize ?? 1) <= 0) connection.pause();
  }

  onResponseEnd(): void {
    this.#over();
    this.#body?.close();
  }

  onResponseError(_connection: Dispatcher.DispatchController, error: Error): void {
    this.#over();
    this.#body?.error(error);
    this.reject(error);
  }

  readonly #abort = (): void => {
    const reason: unknown = this.signal?.reason;
    this.reject(reason);
    this.#connection?.abort(reason instanceof Error ? reason : new Error('aborted'));
  };

  #over(): void {
    this.signal?.removeEventListener('abort', this.#abort);
  }
}
