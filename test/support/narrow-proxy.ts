import { once } from 'node:events';
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** What the proxy does to what goes through it; may be changed at any time, for what begins from then on. */
interface Narrowness {
  /** Requests to become a WebSocket are answered 400, as by a proxy that knows HTTP alone. */
  refusesUpgrades: boolean;
  /** An answer is passed on when it is whole, which an event stream never is. */
  buffers: boolean;
}

/** A proxy of the kind that stands in front of companies: it changes no byte, and lets only some things through. */
export interface NarrowProxy {
  readonly url: string;
  /** The paths of all requests so far, upgrades as `upgrade /…`. */
  readonly asked: string[];
  set(change: Partial<Narrowness>): void;
  close(): Promise<void>;
}

export async function openNarrowProxy(
  target: string,
  { refusesUpgrades = false, buffers = false }: Partial<Narrowness> = {},
): Promise<NarrowProxy> {
  const narrowness = { refusesUpgrades, buffers };
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const forward = ({ url, method, headers }: IncomingMessage) =>
    request(new URL(url ?? '/', target), { method: method ?? 'GET', headers });

  const server = createServer((incoming, outgoing) => {
    asked.push(incoming.url ?? '');
    const { buffers: isBuffered } = narrowness;
    const upstream = forward(incoming);
    upstream.on('error', () => outgoing.destroy());
    outgoing.on('close', () => upstream.destroy());
    upstream.on('response', (answer) => {
      const pieces: Buffer[] = [];
      const begin = () => outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      if (!isBuffered) begin().flushHeaders();
      answer.on('data', (piece: Buffer) => (isBuffered ? pieces.push(piece) : outgoing.write(piece)));
      answer.on('end', () => {
        if (isBuffered) begin();
        outgoing.end(Buffer.concat(pieces));
      });
      answer.on('error', () => outgoing.destroy());
    });
    incoming.pipe(upstream);
  });
  server.on('upgrade', (incoming, socket: Socket) => {
    asked.push(`upgrade ${incoming.url ?? ''}`);
    if (narrowness.refusesUpgrades) {
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const upstream = forward(incoming);
    upstream.on('error', () => socket.destroy());
    upstream.on('upgrade', (answer, other: Socket, head) => {
      const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${String(value)}`);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`);
      socket.write(head);
      socket.on('error', () => other.destroy());
      other.on('error', () => socket.destroy());
      other.on('close', () => socket.destroy());
      socket.on('close', () => other.destroy());
      other.pipe(socket).pipe(other);
    });
    upstream.end();
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    set: (change) => Object.assign(narrowness, change),
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
