import { randomBytes } from 'node:crypto';
import { createConnection, type Socket } from 'node:net';

/**
 * A WebSocket that is opened and read with as little work as can be, so that a server is what is measured, and not its
 * clients. Takes messages from servers that cut none into frames, and heartbeats of Engine.IO are answered.
 */
export class RawWebSocket {
  readonly #socket: Socket;

  private constructor(port: number, path: string) {
    this.#socket = createConnection({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
    );
  }

  /** Opens one. `take`: called with every message but heartbeats; `onFailed`: when the connection breaks. */
  static open(
    { port, path }: { port: number; path: string },
    take: (message: Buffer, webSocket: RawWebSocket) => void,
    onFailed: (error: Error) => void,
  ): RawWebSocket {
    const webSocket = new RawWebSocket(port, path);
    webSocket.#socket.once('error', onFailed);
    readMessages(webSocket.#socket, (message) => {
      if (message.length === 1 && message[0] === 0x32) webSocket.say('3');
      else take(message, webSocket);
    });
    return webSocket;
  }

  /** A text message: one masked frame, the mask being zero. */
  say(text: string): void {
    const body = Buffer.from(text);
    const head = Buffer.alloc(body.length < 126 ? 6 : 8);
    head[0] = 0x81;
    head[1] = 0x80 | (body.length < 126 ? body.length : 126);
    if (body.length >= 126) head.writeUInt16BE(body.length, 2);
    this.#socket.write(Buffer.concat([head, body]));
  }

  /** Breaks the connection. */
  cut(): void {
    this.#socket.destroy();
  }
}

/** Reads a server's WebSocket messages, none of which is cut into frames; the answer to the upgrade is passed over. */
function readMessages(socket: Socket, take: (message: Buffer) => void): void {
  let rest = Buffer.alloc(0);
  let upgraded = false;
  socket.on('data', (data) => {
    let buffer = rest.length > 0 ? Buffer.concat([rest, data]) : data;
    if (!upgraded) {
      const end = buffer.indexOf('\r\n\r\n');
      upgraded = end >= 0;
      buffer = upgraded ? buffer.subarray(end + 4) : buffer;
    }
    let at = 0;
    while (upgraded && buffer.length - at >= 2) {
      const short = (buffer[at + 1] ?? 0) & 0x7f;
      const headLength = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (buffer.length - at < headLength) break;
      const length =
        short < 126
          ? short
          : short === 126
            ? buffer.readUInt16BE(at + 2)
            : Number(buffer.readBigUInt64BE(at + 2));
      if (buffer.length - at < headLength + length) break;
      take(buffer.subarray(at + headLength, at + headLength + length));
      at += headLength + length;
    }
    rest = buffer.subarray(at);
  });
}
