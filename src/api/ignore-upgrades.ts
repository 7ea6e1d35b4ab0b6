import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** What asks for another protocol, beside the tokens of `Connection` that name it. */
const wishes = new Set(['upgrade', 'http2-settings']);

/**
 * Answers what asks for a protocol that is not spoken here as if it had not asked (RFC 9110, 7.8): Java's client wishes
 * for h2c with its first request, and takes HTTP/1.1 for an answer. Node gives the connection away at such a wish; so the
 * request is put back without it, and read once more.
 *
 * @param isTaken whether somebody else answers the wish
 */
export function ignoreUpgrades(server: Server, isTaken: (request: IncomingMessage) => boolean): void {
  /** How many requests a connection still waits for: several where they were sent without waiting for answers. */
  const unanswered = new WeakMap<Duplex, number>();
  const count = (socket: Duplex, more: number) =>
    unanswered.set(socket, (unanswered.get(socket) ?? 0) + more);
  server.on('request', ({ socket }, response: ServerResponse) => {
    count(socket, 1);
    response.once('close', () => count(socket, -1));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, rest: Buffer) => {
    if (isTaken(request)) return;
    // Its answer could come before those of the requests ahead of it.
    if (unanswered.get(socket)) {
      socket.destroy();
      return;
    }
    socket.unshift(Buffer.concat([Buffer.from(headWithoutWish(request), 'latin1'), rest]));
    server.emit('connection', socket);
  });
}

/** The head of a request as it came, without its wish for another protocol. */
function headWithoutWish({ method = '', url = '', httpVersion, rawHeaders }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = rawHeaders.slice(i, i + 2);
    if (wishes.has(name.toLowerCase())) continue;
    const kept = name.toLowerCase() === 'connection' ? withoutWishes(value) : value;
    if (kept !== undefined) lines.push(`${name}: ${kept}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** The tokens of a `Connection` header that are left; undefined: none. */
function withoutWishes(connection: string): string | undefined {
  const tokens = connection.split(',').map((token) => token.trim());
  return tokens.filter((token) => !wishes.has(token.toLowerCase())).join(', ') || undefined;
}
