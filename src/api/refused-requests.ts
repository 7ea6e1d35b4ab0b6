import { STATUS_CODES, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { AppError } from '../domain/errors.js';
import { toProblem } from './middleware/problem.js';

/** What Node refuses before there is a request, by the code of its error; everything else is 400. */
const refusals = new Map<string | undefined, { status: number; error: AppError }>([
  [
    'HPE_HEADER_OVERFLOW',
    { status: 431, error: new AppError('invalid_request', 'The head of the request is larger than 16 KiB.') },
  ],
  [
    'ERR_HTTP_REQUEST_TIMEOUT',
    { status: 408, error: new AppError('invalid_request', 'The request did not come in time.') },
  ],
  [
    'HPE_CHUNK_EXTENSIONS_OVERFLOW',
    { status: 413, error: new AppError('payload_too_large', 'The extensions of a chunk are too large.') },
  ],
]);

const noHttp = { status: 400, error: new AppError('invalid_request', 'This is no request that HTTP knows.') };

/** The answer reaches a client only if what it still sends is read for a while: else the connection is reset. */
const lingerMs = 1000;

/**
 * Answers requests that Node's parser refuses as all others: by a problem document. The connection is closed behind it.
 * Of what is being answered already the head may be out: then the connection ends without a word.
 */
export function answerRefused(server: Server): void {
  /** Several where requests were sent without waiting for answers. */
  const answering = new WeakMap<Duplex, Set<ServerResponse>>();
  server.on('request', ({ socket }, response) => {
    const responses = answering.get(socket) ?? new Set();
    answering.set(socket, responses.add(response));
    response.once('close', () => responses.delete(response));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // A second fault of what has been answered.
    if (socket.writableEnded) return;
    const isBegun = [...(answering.get(socket) ?? [])].some(({ headersSent }) => headersSent);
    if (!socket.writable || isBegun) {
      socket.destroy();
      return;
    }
    const { status, error: fault } = refusals.get(error.code) ?? noHttp;
    socket.end(asMessage(status, JSON.stringify(toProblem(fault, status))));
    const linger = setTimeout(() => socket.destroy(), lingerMs);
    socket.once('close', () => {
      clearTimeout(linger);
    });
  });
}

/** An answer as it stands on the wire. Its texts are ASCII. */
function asMessage(status: number, body: string): string {
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${body.length}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    'Connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
