import { createHash } from 'node:crypto';
import type { Chunk } from '../domain/content.js';
import type { ProviderName } from '../domain/models.js';
import { createFetchAgent, type Fetch } from './fetch-through.js';
import { endedEarly } from './provider-errors.js';
import { headOf } from './response-head.js';
import { ProviderError, type CallOptions, type Provider, type ProviderRequest } from './provider.js';

/** What one call of an SDK gets. */
export interface SdkCall {
  request: ProviderRequest;
  /** For the SDK to fetch through. Takes a URL, not a `Request`. */
  fetch: Fetch;
  /** For the SDK; without a reason of its own, so that every SDK knows it for an abort. */
  signal: AbortSignal;
  /** The answer is whole; what may follow is worth a second. Then the connection is closed. */
  endSoon: () => void;
}

/** What is particular to a provider; the rest is in {@link createSdkProvider}. */
export interface Sdk {
  name: ProviderName;
  apiKey: string;
  /** The chunks of a streamed answer; ends without `message_stop` where the answer does. May throw anything. */
  stream: (call: SdkCall) => AsyncIterable<Chunk>;
  /** The same from a blocking call. May throw anything. */
  complete: (call: SdkCall) => Promise<Chunk[]>;
  /** What a thrown error that is no ProviderError means. */
  toError: (error: unknown) => ProviderError;
}

/** For SDKs that cannot be told to have no timeout: the longest that a timer can run. */
export const noTimeoutMs = 2 ** 31 - 1;

/** How long the end of the body may take after the end of the answer. */
const bodyEndMs = 1000;

/**
 * A provider over an SDK whose retries and timeouts are off: owns the connections, ties a call to its signal, tells the
 * head of the answer, and keeps the promises of {@link Provider} on how a stream ends.
 *
 * @throws TypeError for an API key that cannot stand in an HTTP header, without showing it.
 */
export function createSdkProvider({ name, apiKey, stream, complete, toError }: Sdk): Provider {
  if (!canStandInHeader(apiKey)) throw new TypeError('The API key holds characters that no API key has.');
  const agent = createFetchAgent();

  /** What a failed call throws: the signal's reason, if it was that, else a ProviderError. */
  const failure = (error: unknown, signal: AbortSignal): unknown => {
    if (signal.aborted) return signal.reason;
    return error instanceof ProviderError ? error : toError(error);
  };

  return {
    name,
    account: createHash('sha256').update(apiKey).digest('hex').slice(0, 16),

    async *stream(request, options) {
      const { signal } = options;
      const running = new RunningCall(name, request, options, agent.fetch);
      const chunks = stream(running.call)[Symbol.asyncIterator]();
      let answered = false;
      try {
        while (!answered) {
          const next = await chunks.next();
          signal.throwIfAborted();
          if (next.done) throw endedEarly(name);
          answered = next.value.type === 'message_stop';
          if (answered) void running.finish(chunks);
          yield next.value;
        }
      } catch (error) {
        throw failure(error, signal);
      } finally {
        running.release();
        if (!answered) await running.cut(chunks);
      }
    },

    async complete(request, options) {
      const running = new RunningCall(name, request, options, agent.fetch);
      try {
        const chunks = await complete(running.call);
        options.signal.throwIfAborted();
        return chunks;
      } catch (error) {
        throw failure(error, options.signal);
      } finally {
        running.release();
      }
    },

    close: () => agent.close(),
  };
}

/** One call and its connection. */
class RunningCall {
  readonly call: SdkCall;
  readonly #controller = new AbortController();
  readonly #signal: AbortSignal;
  #endTimer: NodeJS.Timeout | undefined;

  constructor(
    name: ProviderName,
    request: ProviderRequest,
    { signal, onResponse }: CallOptions,
    fetch: Fetch,
  ) {
    signal.throwIfAborted();
    this.#signal = signal;
    signal.addEventListener('abort', this.#abort, { once: true });
    this.call = {
      request,
      signal: this.#controller.signal,
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        if (response.ok) onResponse?.(headOf(name, response.headers));
        return response;
      },
      endSoon: () => {
        this.#endTimer ??= setTimeout(this.#abort, bodyEndMs).unref();
      },
    };
  }

  /** Lets go of the caller's signal. */
  release(): void {
    this.#signal.removeEventListener('abort', this.#abort);
  }

  /**
   * Reads the body to its end, so that the connection serves the next call; closes it where the end does not follow.
   * Whatever happens here, the answer is complete.
   */
  async finish(chunks: AsyncIterator<unknown>): Promise<void> {
    this.call.endSoon();
    try {
      while (!(await chunks.next()).done);
    } catch {
      // The connection is gone: there is nothing to free.
    } finally {
      clearTimeout(this.#endTimer);
    }
  }

  /** Closes the connection of a stream that is not read to its end. */
  async cut(chunks: AsyncIterator<unknown>): Promise<void> {
    clearTimeout(this.#endTimer);
    this.#controller.abort();
    await chunks.return?.().catch(() => undefined);
  }

  readonly #abort = (): void => {
    this.#controller.abort();
  };
}

function canStandInHeader(value: string): boolean {
  try {
    new Headers({ 'x-api-key': value });
    return true;
  } catch {
    return false;
  }
}
