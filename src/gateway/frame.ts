import type { LogEntry } from '../redis/room-log.js';
import type { Cursor } from '../wire/cursor.js';

type Event = Omit<LogEntry, 'cursor'> & { cursor?: Cursor };

let newest: { event: Event; frame: Frame } | undefined;

/**
 * An event on its way to the clients of a room. It is encoded once for each transport, however many get it; its payload
 * is spliced, not parsed.
 */
export class Frame {
  #json: string | undefined;
  #packet: string | undefined;
  #webSocketFrame: Buffer | undefined;
  #sse: string | undefined;
  /** When this process has come to have it, by `performance.now()`: of a chunk that goes out as it was written. */
  heardAt: number | undefined;

  constructor(
    readonly type: string,
    /** Absent in what is not logged. */
    readonly cursor: Cursor | undefined,
    /** The payload as JSON, without the cursor: an object that is not empty. */
    readonly data: string,
  ) {}

  /** The frame of an entry, or of what is not logged: one for all clients that a feed hands it to in turn. */
  static of(event: Event): Frame {
    if (newest?.event !== event) {
      newest = { event, frame: new Frame(event.type, event.cursor, event.data) };
      if (event.type === 'generation.chunk') newest.frame.heardAt = performance.now();
    }
    return newest.frame;
  }

  /** The payload as clients get it. */
  get json(): string {
    return (this.#json ??=
      this.cursor === undefined ? this.data : `{"cursor":"${this.cursor}",${this.data.slice(1)}`);
  }

  /** An EVENT packet of the default namespace (https://socket.io/docs/v4/socket-io-protocol/). */
  get packet(): string {
    return (this.#packet ??= `2["${this.type}",${this.json}]`);
  }

  /** The packet as a WebSocket frame of the engine's protocol, not compressed. */
  get webSocketFrame(): Buffer {
    return (this.#webSocketFrame ??= encodeWebSocket(`4${this.packet}`));
  }

  /** An event of an event stream; `id`: where it has another id than its cursor. */
  sse(id = this.cursor): string {
    if (id !== this.cursor) return encodeSse(this.type, id, this.json);
    return (this.#sse ??= encodeSse(this.type, id, this.json));
  }
}

const encodeSse = (type: string, id: string | undefined, json: string) =>
  `event: ${type}\n${id === undefined ? '' : `id: ${id}\n`}data: ${json}\n\n`;

/** A whole text message from a server, in one frame (RFC 6455, 5.2). */
function encodeWebSocket(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const frame = Buffer.allocUnsafe(2 + lengthBytes + length);
  frame[0] = 0x81; // the last frame of a text
  frame[1] = lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127;
  if (lengthBytes === 2) frame.writeUInt16BE(length, 2);
  if (lengthBytes === 8) frame.writeBigUInt64BE(BigInt(length), 2);
  frame.write(text, 2 + lengthBytes);
  return frame;
}
