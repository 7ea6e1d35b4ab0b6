import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as textOfStream } from 'node:stream/consumers';

/** A local server whose answers are in the hands of the test. */
export interface ScriptedServer<R> {
  /** Its root. */
  readonly url: string;
  /** All requests so far, in the order of their coming. */
  readonly requests: readonly R[];
  /** How many requests are neither answered to the end nor closed. */
  readonly open: number;
  /** The oldest request (that matches) which no call has returned yet; waits for it. */
  nextRequest(matches?: (request: R) => boolean): Promise<R>;
  /** Closes all connections. */
  close(): Promise<void>;
}

interface Script<R> {
  /** 0: a free one. */
  port?: number;
  /** Makes a request of what came; the body is parsed JSON. */
  accept: (body: unknown, headers: IncomingHttpHeaders, response: ServerResponse) => R;
  /** What the server does with a request by itself. A failure breaks the connection. */
  accepted?: (request: R) => Promise<void>;
}

/** Starts a scripted server on 127.0.0.1. */
export async function startScriptedServer<R extends { readonly ended: boolean }>({
  port = 0,
  accept,
  accepted,
}: Script<R>): Promise<ScriptedServer<R>> {
  const requests: R[] = [];
  const unclaimed: R[] = [];
  let waiters: { matches: (request: R) => boolean; give: (request: R) => void }[] = [];

  const take = async (incoming: IncomingMessage, response: ServerResponse) => {
    const body: unknown = JSON.parse(await textOfStream(incoming));
    const request = accept(body, incoming.headers, response);
    requests.push(request);
    const waiter = waiters.find(({ matches }) => matches(request));
    if (waiter) {
      waiters = waiters.filter((other) => other !== waiter);
      waiter.give(request);
    } else {
      unclaimed.push(request);
    }
    await accepted?.(request);
  };

  const server = createServer((incoming, response) => {
    take(incoming, response).catch(() => response.destroy());
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    get open() {
      return requests.filter(({ ended }) => !ended).length;
    },
    nextRequest(matches = () => true) {
      const request = unclaimed.find(matches);
      if (!request) return new Promise((give) => waiters.push({ matches, give }));
      unclaimed.splice(unclaimed.indexOf(request), 1);
      return Promise.resolve(request);
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
