import { RawWebSocket } from './raw-web-socket.js';

/** Where a client goes to. */
export interface Address {
  port: number;
  token: string;
}

/** A client of the product's sockets (contract §6) over a raw WebSocket. */
export class RawClient {
  #webSocket: RawWebSocket | undefined;
  #acks = new Map<string, (ack: string) => void>();
  #ids = 0;

  /** `take`: called with every message that is no answer. */
  constructor(
    private readonly address: Address,
    private readonly take: (message: Buffer) => void,
  ) {}

  /** Connects, again if it was, and resolves once it is let in. */
  connect(): Promise<void> {
    const { port, token } = this.address;
    this.cut();
    this.#acks = new Map();
    return new Promise((resolve, reject) => {
      const path = '/socket.io/?EIO=4&transport=websocket';
      const onMessage = (message: Buffer, webSocket: RawWebSocket) => {
        const type = message.toString('latin1', 0, 2);
        if (type.startsWith('0')) webSocket.say(`40${JSON.stringify({ token })}`);
        else if (type === '40') resolve();
        else if (type === '44') reject(new Error(message.toString()));
        else if (type === '43') this.#answered(message);
        else this.take(message);
      };
      this.#webSocket = new RawWebSocket({ port, path }, { onMessage, onFailed: reject });
    });
  }

  /** Joins a room; the answer as it came. */
  async join(room: string, after?: string): Promise<string> {
    const id = String((this.#ids += 1));
    const ack = await new Promise<string>((resolve) => {
      this.#acks.set(id, resolve);
      this.#webSocket?.say(
        `42${id}${JSON.stringify(['join', after === undefined ? { room } : { room, after }])}`,
      );
    });
    if (!ack.includes('"ok":true')) throw new Error(ack);
    return ack;
  }

  /** Breaks the connection. */
  cut(): void {
    this.#webSocket?.cut();
    this.#webSocket = undefined;
  }

  #answered(message: Buffer): void {
    const begin = message.indexOf('[');
    const id = message.toString('latin1', 2, begin);
    this.#acks.get(id)?.(message.toString('utf8', begin));
    this.#acks.delete(id);
  }
}
