import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

export interface RawRequest {
  method: string;
  /** As it stands in the request line. */
  path: string;
  /** Several values of a name are several headers. */
  headers?: Record<string, string | string[]>;
  body?: string | Buffer;
}

export interface RawAnswer {
  status: number;
  type: string;
  /** Empty for an event stream, which is left as soon as it stands. */
  body: string;
}

/** Sends what a well-behaved client would not. */
export async function sendRaw(
  url: string,
  { method, path, headers = {}, body }: RawRequest,
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const outgoing = request({ hostname, port, method, path, headers, agent: false });
  const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
  // An answer may come, and the connection end, before all of the body is out.
  outgoing.on('error', () => undefined);
  outgoing.end(body);
  const [incoming] = await answered;
  const type = incoming.headers['content-type'] ?? '';
  const answer = { status: incoming.statusCode ?? 0, type };
  if (!type.startsWith('text/event-stream')) return { ...answer, body: await text(incoming) };
  incoming.destroy();
  return { ...answer, body: '' };
}

/** Sends bytes over a connection of its own and resolves with what comes back until the server closes it. */
export async function sendBytes(url: string, bytes: string | Buffer): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.write(bytes);
  return text(socket);
}
