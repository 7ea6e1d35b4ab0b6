import { io, type Socket } from 'socket.io-client';

export interface PlainAck {
  ok: boolean;
  error?: { code: string; message: string };
}

/** A socket as it is, with all that it is told. */
export class PlainSocket {
  readonly events: { type: string; [key: string]: unknown }[] = [];
  /** Resolves with the reason when the connection has ended. */
  readonly closed: Promise<string>;

  private constructor(private readonly socket: Socket) {
    socket.onAny((_type: string, event: { type: string }) => {
      this.events.push(event);
    });
    this.closed = new Promise((resolve) => {
      socket.once('disconnect', resolve);
    });
  }

  /** @throws Error whose message is the code of the refusal */
  static async connect(url: string, token: string): Promise<PlainSocket> {
    const socket = io(url, {
      forceNew: true,
      reconnection: false,
      transports: ['websocket'],
      auth: { token },
    });
    const plain = new PlainSocket(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', (error: Error & { data?: { code?: string } }) => {
        reject(new Error(error.data?.code ?? error.message));
      });
    });
    return plain;
  }

  /** Emits and resolves with the answer. Whatever the server sent before it has come by then. */
  ask(event: string, payload: object): Promise<PlainAck> {
    return this.socket.timeout(10_000).emitWithAck(event, payload) as Promise<PlainAck>;
  }

  /** The first event of this type, seen or to come. */
  async waitFor(type: string): Promise<void> {
    if (this.events.some((event) => event.type === type)) return;
    await new Promise<void>((resolve) => {
      this.socket.once(type, () => {
        resolve();
      });
    });
  }

  close(): void {
    this.socket.disconnect();
  }
}
