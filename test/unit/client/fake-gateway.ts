import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import type { RoomEvent } from '../../../src/wire/room-events.js';
import type { Ack, JoinAck } from '../../../src/wire/socket-events.js';

export interface Join {
  room: string;
  after?: string;
  token: unknown;
  /** Answers the join, and sends what follows in the same turn, as a gateway does. */
  answer: (ack: JoinAck, events?: readonly RoomEvent[]) => void;
}

/** A real Socket.IO server whose every join is answered by the test. */
export class FakeGateway {
  readonly #http = createServer();
  readonly #io = new Server(this.#http);
  readonly #joins: Join[] = [];
  readonly #waiting: ((join: Join) => void)[] = [];
  /** Refuses connections with this code while it is set. */
  refuseWith: string | undefined;
  connections = 0;
  /** The tokens that sockets went on under. While `renewals` is false they are refused. */
  readonly authenticated: unknown[] = [];
  renewals = true;

  constructor() {
    this.#io.use((_socket, next) => {
      if (this.refuseWith === undefined) next();
      else next(Object.assign(new Error('refused'), { data: { code: this.refuseWith } }));
    });
    this.#io.on('connection', (socket: Socket) => {
      this.connections += 1;
      socket.on('authenticate', ({ token }: { token: unknown }, ack: (answer: Ack<object>) => void) => {
        this.authenticated.push(token);
        ack(
          this.renewals
            ? { ok: true }
            : { ok: false, error: { code: 'unauthenticated', message: 'The token has ended.' } },
        );
      });
      socket.on('join', (payload: { room: string; after?: string }, ack: (answer: JoinAck) => void) => {
        const join: Join = {
          ...payload,
          token: (socket.handshake.auth as { token?: unknown }).token,
          answer: (answer, events = []) => {
            ack(answer);
            for (const event of events) socket.emit(event.type, event);
          },
        };
        const waiting = this.#waiting.shift();
        if (waiting) waiting(join);
        else this.#joins.push(join);
      });
    });
  }

  async listen(): Promise<string> {
    this.#http.listen(0, '127.0.0.1');
    await once(this.#http, 'listening');
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  nextJoin(): Promise<Join> {
    const join = this.#joins.shift();
    return join ? Promise.resolve(join) : new Promise((resolve) => this.#waiting.push(resolve));
  }

  broadcast(event: RoomEvent): void {
    this.#io.emit(event.type, event);
  }

  /** Cuts every connection without a word, as a dying gateway does. */
  cut(): void {
    for (const socket of this.#io.sockets.sockets.values()) socket.conn.close();
  }

  async close(): Promise<void> {
    await this.#io.close();
  }
}
