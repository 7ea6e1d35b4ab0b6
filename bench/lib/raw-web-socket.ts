import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { ask, type Place } from './raw-http.js';

interface WebSocketListener {
  onOpen?: () => void;
  /** Called with every message but heartbeats. */
  onMessage: (message: Buffer, webSocket: RawWebSocket) => void;
  /** It is refused, or the connection breaks. */
  onFailed: (error: Error) => void;
}

/**
 * A WebSocket that is opened and read with as little work as can be, so that a server is what is measured, and not its
 * clients. Takes messages from servers that cut none into frames, and heartbeats of Engine.IO are answered.
 */
export class RawWebSocket {
  readonly #socket: Socket;

  constructor(place: Place, { onOpen, onMessage, onFailed }: WebSocketListener) {
    const headers = [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    ];
    const onData = messageReader((message) => {
      if (message.length === 1 && message[0] === 0x32) this.say('3');
      else onMessage(message, this);
    });
    this.#socket = ask(place, headers, 101, { onOpen, onData, onFailed });
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

/** Reads a server's WebSocket messages, none of which is cut into frames, out of what is handed to it. */
function messageReader(take: (message: Buffer) => void): (data: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (data) => {
    const buffer = rest.length > 0 ? Buffer.concat([rest, data]) : data;
    let at = 0;
    while (buffer.length - at >= 2) {
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
  };
}
