import type { Socket } from 'socket.io';
import type { Frame } from './frame.js';
import type { GatewayMetrics } from './gateway-metrics.js';
import type { Sink } from './room-watcher.js';

/** What the sockets of a process share. */
export interface SocketHost {
  /** A client with more bytes waiting is behind. */
  maxPendingBytes: number;
  /** Those that are connected now. */
  sockets: Set<SocketSink>;
  metrics?: GatewayMetrics;
}

/**
 * A socket as a sink: packets that are encoded once for all go straight to the engine, in one order with everything
 * else that the socket sends. All rooms of a socket share it.
 */
export class SocketSink implements Sink {
  #pendingBytes = 0;
  #waiting: (() => void)[] = [];

  constructor(
    private readonly socket: Pick<Socket, 'conn' | 'disconnected' | 'once'>,
    private readonly host: SocketHost,
  ) {
    host.sockets.add(this);
    socket.once('disconnect', () => {
      host.sockets.delete(this);
      this.#pendingBytes = 0;
      this.#wake();
    });
  }

  get congested(): boolean {
    return this.#pendingBytes > this.host.maxPendingBytes;
  }

  /** What the transport has not taken yet, in UTF-16 code units. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  send(frame: Frame): void {
    if (this.socket.disconnected) return;
    const { packet } = frame;
    const { metrics } = this.host;
    metrics?.sent('socket', packet);
    const taken = metrics?.timed('socket', frame);
    this.#pendingBytes += packet.length;
    // The engine calls back once the transport has taken the packet: written to the kernel, or fetched by a poll.
    this.socket.conn.send(packet, { compress: false }, () => {
      taken?.();
      this.#pendingBytes = Math.max(0, this.#pendingBytes - packet.length);
      if (this.#pendingBytes <= this.host.maxPendingBytes / 2) this.#wake();
    });
  }

  drained(): Promise<void> {
    if (!this.congested || this.socket.disconnected) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
