import type { Request, Response } from 'express';
import type { Session } from '../domain/session.js';
import { setLongTimeout } from '../lib/long-timeout.js';
import type { GenerationEvent, StreamDialect } from '../wire/stream-dialect.js';
import type { Frame } from './frame.js';
import type { GatewayMetrics } from './gateway-metrics.js';
import type { Sink } from './room-watcher.js';

const heartbeatMs = 15_000;
const comment = ': \n\n';

/** What the event streams of a process share. */
export interface StreamHost {
  /** A client with more bytes waiting is behind. */
  maxPendingBytes: number;
  /** One that has taken nothing for so long, not even a heartbeat, is gone; slow ones, which take something, are not. */
  stalledMs: number;
  /** Those that are open now. */
  streams: Set<EventStream>;
  metrics?: GatewayMetrics;
}

/**
 * One client's event stream (contract §7): headers, heartbeat, the end of its token, and how much waits for it.
 * Every way in which it can end leads to `close`, once. With a dialect it is told to its client in the words of that.
 */
export class EventStream implements Sink {
  #waiting: (() => void)[] = [];
  #stops: (() => void)[] = [];
  #closers: (() => void)[] = [];
  #closed = false;

  constructor(
    private readonly request: Request,
    private readonly response: Response,
    session: Session,
    private readonly host: StreamHost,
    private readonly dialect?: StreamDialect,
  ) {
    // It may have left while it was asked who it is: nothing would tell.
    if (response.destroyed || response.closed) {
      this.#closed = true;
      return;
    }
    host.streams.add(this);
    response.on('close', () => {
      this.close();
    });
    response.on('drain', () => {
      this.#wake();
    });
    const heartbeat = setInterval(() => {
      // A client that takes nothing needs no sign of life.
      if (!this.#closed && response.headersSent && !this.congested)
        response.write(dialect?.heartbeat ?? comment);
    }, heartbeatMs);
    this.#stops.push(() => {
      clearInterval(heartbeat);
    });
    if (session.expiresAt)
      this.#stops.push(
        setLongTimeout(() => {
          this.end('session.expired');
        }, session.expiresAt.getTime() - Date.now()),
      );
    request.socket.setNoDelay(true);
    // Node destroys the connection when a write has made no progress for so long.
    request.socket.setTimeout(host.stalledMs);
  }

  get closed(): boolean {
    return this.#closed;
  }

  get congested(): boolean {
    return this.pendingBytes > this.host.maxPendingBytes;
  }

  /** What the kernel has not taken yet. */
  get pendingBytes(): number {
    return this.response.writableLength;
  }

  /** Sends the head, so that the client knows that the stream stands. Who asked for no more than that has it all. */
  open(): void {
    if (this.#closed || this.response.headersSent) return;
    this.response.status(200).set({
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-cache, no-transform',
      'X-Accel-Buffering': 'no',
      Connection: 'keep-alive',
    });
    this.response.flushHeaders();
    if (this.request.method === 'HEAD') this.end();
    // A byte at once: a client that gets none knows that something on the way holds the stream back.
    else if (!this.dialect) this.write(comment);
  }

  send(frame: Frame): void {
    if (!this.dialect) {
      this.write(frame.sse(), this.host.metrics?.timed('event_stream', frame));
      return;
    }
    if (this.#closed) return;
    const told = this.dialect.tell(JSON.parse(frame.json) as GenerationEvent);
    if (told !== '') this.write(told, this.host.metrics?.timed('event_stream', frame));
    if (this.dialect.over) this.end();
  }

  /** Writes an encoded event. `taken`: called when the kernel has it. */
  write(encoded: string, taken?: () => void): void {
    if (this.#closed) return;
    this.host.metrics?.sent('event_stream', Buffer.byteLength(encoded));
    if (!taken) this.response.write(encoded);
    else
      this.response.write(encoded, (error) => {
        if (!error) taken();
      });
  }

  drained(): Promise<void> {
    if (!this.congested || this.#closed) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Called once when the stream ends, whoever ends it; at once when it has. */
  onClose(closer: () => void): void {
    if (this.#closed) closer();
    else this.#closers.push(closer);
  }

  /** Ends the stream, with a last event that belongs to no room. */
  end(lastEvent?: 'session.expired'): void {
    if (this.#closed) return;
    const farewell = this.dialect ? this.dialect.farewell(lastEvent) : lastEvent && farewellOf(lastEvent);
    if (farewell) {
      this.open();
      this.write(farewell);
    }
    this.close();
    if (this.dialect && farewell === undefined && this.request.method !== 'HEAD') this.response.destroy();
    else this.response.end();
  }

  /** Lets go of everything; the response is ended by its owner. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.host.streams.delete(this);
    for (const stop of this.#stops) stop();
    for (const closer of this.#closers) closer();
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

const farewellOf = (type: 'session.expired') =>
  `event: ${type}\ndata: ${JSON.stringify({ type, at: new Date().toISOString() })}\n\n`;
