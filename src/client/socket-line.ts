import { io, type Socket } from 'socket.io-client';
import type { Room } from '../wire/room.js';
import type { AnySnapshot, RoomEventWith } from '../wire/room-events.js';
import type { Ack, JoinAck } from '../wire/socket-events.js';
import { isFinal, type Line, type LineListener } from './line.js';
import { TokencastError } from './tokencast-error.js';

interface SocketLineOptions {
  room: Room;
  /** Root of the server; undefined: the page's own. */
  url: string | undefined;
  getToken: () => string | null;
  timeoutMs: number;
}

/** A room over a WebSocket of Socket.IO. */
export class SocketLine<Snapshot extends AnySnapshot> implements Line {
  readonly transport = 'websocket';
  readonly #socket: Socket;
  #over = false;

  constructor(
    private readonly options: SocketLineOptions,
    private readonly listener: LineListener<Snapshot>,
  ) {
    const { url, getToken, timeoutMs } = options;
    const socketOptions = {
      forceNew: true,
      autoConnect: false,
      reconnection: false,
      timeout: timeoutMs,
      transports: ['websocket'],
      auth: (answer: (data: object) => void) => {
        answer({ token: getToken() });
      },
    };
    this.#socket = url === undefined ? io(socketOptions) : io(url, socketOptions);
    this.#socket.on('connect', () => {
      listener.opened();
      this.#join();
    });
    this.#socket.on('disconnect', () => {
      this.#lost('The connection was closed.', false);
    });
    this.#socket.on('connect_error', (error: Error & { data?: { code?: unknown } }) => {
      const code = error.data?.code;
      if (isFinal(code)) this.#refused(new TokencastError(code, error.message));
      // Whoever answers in words is reached.
      else this.#lost(error.message, code === undefined);
    });
    this.#socket.onAny((_type: string, event: RoomEventWith<Snapshot>) => {
      if (!this.#over) listener.received(event);
    });
    this.#socket.connect();
  }

  refresh(): void {
    this.#socket
      .timeout(this.options.timeoutMs)
      .emit('join', { room: this.options.room }, (error: Error | null, ack: JoinAck<Snapshot>) => {
        if (error || !ack.ok || !ack.snapshot || this.#over) return;
        this.listener.replaced(ack.snapshot, ack.cursor);
      });
  }

  setTyping(typing: boolean): void {
    // Volatile: what is not told now need not be told later.
    this.#socket.volatile.emit('typing', { room: this.options.room, typing });
  }

  async authenticate(token: string | null): Promise<void> {
    const answer: Promise<unknown> = this.#socket
      .timeout(this.options.timeoutMs)
      .emitWithAck('authenticate', { token });
    const ack = (await answer) as Ack<object>;
    if (!ack.ok) throw new TokencastError(ack.error.code, ack.error.message);
  }

  close(): void {
    this.#over = true;
    this.#socket.disconnect();
  }

  #join(): void {
    const after = this.listener.after();
    const { room, timeoutMs } = this.options;
    // A callback, not a promise: events may follow the ack in the same turn.
    this.#socket
      .timeout(timeoutMs)
      .emit(
        'join',
        after === undefined ? { room } : { room, after },
        (error: Error | null, ack: JoinAck<Snapshot>) => {
          if (this.#over) return;
          if (error) this.#lost('The join was not answered.', false);
          else if (ack.ok) this.listener.joined(ack);
          else if (isFinal(ack.error.code))
            this.#refused(new TokencastError(ack.error.code, ack.error.message));
          else this.#lost(ack.error.message, false);
        },
      );
  }

  #lost(why: string, isBlocked: boolean): void {
    if (this.#over) return;
    this.close();
    this.listener.lost(new TokencastError('unreachable', why), isBlocked);
  }

  #refused(error: TokencastError): void {
    if (this.#over) return;
    this.close();
    this.listener.refused(error);
  }
}
