import { io, type Socket } from 'socket.io-client';
import { onTestFinished } from 'vitest';
import type { RoomEvent } from '../../src/wire/room-events.js';
import type { JoinAck } from '../../src/wire/socket-events.js';
import { RoomClient, type WatchOptions } from '../support/clients.js';

/** A room watched by the official client as anybody would: it reconnects by itself, and joins behind its cursor. */
export class LastingSocket extends RoomClient {
  /** What the server has told it that went wrong; what its network did is not among it. */
  readonly refusals: unknown[] = [];
  /** How often it has joined. */
  joins = 0;
  readonly #socket: Socket;

  constructor(options: WatchOptions) {
    super(options);
    const { url, token, room } = options;
    const socket = io(url, {
      forceNew: true,
      transports: ['websocket'],
      reconnectionDelay: 50,
      reconnectionDelayMax: 500,
      auth: { token },
    });
    this.#socket = socket;
    socket.onAny((_type: string, event: RoomEvent) => {
      this.receive(event);
    });
    socket.on('connect_error', (error: Error & { data?: unknown }) => {
      if (error.data !== undefined) this.refusals.push(error.data);
    });
    socket.on('connect', () => {
      const after = this.cursor;
      socket.emit('join', after === undefined ? { room } : { room, after }, (ack: JoinAck) => {
        if (!ack.ok) {
          this.refusals.push(ack.error);
          return;
        }
        this.joins += 1;
        const { cursor, snapshot } = ack;
        if (snapshot) this.receive({ type: 'snapshot', cursor, at: new Date().toISOString(), snapshot });
        else this.wake();
      });
    });
    onTestFinished(() => {
      this.drop();
    });
  }

  /** Resolves once it has joined. */
  async connect(): Promise<void> {
    await this.until(() => this.joins > 0);
  }

  drop(): void {
    this.#socket.disconnect();
  }
}
