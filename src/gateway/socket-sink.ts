import type { Socket } from 'socket.io';
import type { Cursor } from '../wire/cursor.js';
import type { Room } from '../wire/room.js';
import type { Frame } from './frame.js';
import type { GatewayMetrics } from './gateway-metrics.js';
import type { GroupMember, Membership, Sink } from './room-watcher.js';
import type { StraightPath, StraightPaths } from './straight-path.js';

/** What the sockets of a process share. */
export interface SocketHost {
  /** A client with more bytes waiting is behind. */
  maxPendingBytes: number;
  /** Those that are connected now. */
  sockets: Set<SocketSink>;
  metrics?: GatewayMetrics;
}

/** The client's side of Socket.IO, as far as a sink needs it. */
type SinkSocket = Pick<Socket, 'conn' | 'disconnected' | 'once'>;

/**
 * A socket as a sink: packets that are encoded once for all go straight to the connection, or by the engine where that
 * cannot be, in one order with everything else that the socket sends. All rooms of a socket share it.
 */
export class SocketSink implements Sink {
  readonly #path: StraightPath | undefined;
  /** What the engine has got and its transport has not taken. */
  #engineBytes = 0;
  #waiting: (() => void)[] = [];

  /** `paths`: without them, everything goes by the engine. */
  constructor(
    private readonly socket: SinkSocket,
    private readonly host: SocketHost,
    private readonly paths?: StraightPaths,
  ) {
    host.sockets.add(this);
    this.#path = paths?.to(socket.conn, () => {
      this.#wakeIfDrained();
    });
    socket.once('disconnect', () => {
      host.sockets.delete(this);
      this.#engineBytes = 0;
      this.#path?.close();
      this.#wake();
    });
  }

  get congested(): boolean {
    return this.pendingBytes > this.host.maxPendingBytes;
  }

  /** What the client's connection has not taken yet, in bytes (what the engine has: in UTF-16 code units). */
  get pendingBytes(): number {
    return this.#engineBytes + (this.#path?.pendingBytes ?? 0);
  }

  send(frame: Frame): void {
    if (this.socket.disconnected) return;
    const { metrics } = this.host;
    const taken = metrics?.timed('socket', frame);
    if (this.#path?.take(frame, taken)) {
      metrics?.sent('socket', frame.webSocketFrame.length);
      return;
    }
    const { packet } = frame;
    metrics?.sent('socket', Buffer.byteLength(packet));
    this.#engineBytes += packet.length;
    // The engine calls back once the transport has taken the packet: written to the kernel, or fetched by a poll.
    this.socket.conn.send(packet, { compress: false }, () => {
      taken?.();
      this.#engineBytes = Math.max(0, this.#engineBytes - packet.length);
      this.#wakeIfDrained();
    });
  }

  join(room: Room, cursor: Cursor, member: GroupMember): Membership | undefined {
    return this.#path && this.paths?.join(room, this.#path, cursor, member);
  }

  drained(): Promise<void> {
    if (!this.congested || this.socket.disconnected) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Closes the client's transport, after what it was sent; the client connects again by itself. */
  close(): void {
    this.#path?.flush();
    this.socket.conn.close();
  }

  #wakeIfDrained(): void {
    if (this.#waiting.length > 0 && this.pendingBytes <= this.host.maxPendingBytes / 2) this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
