import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Socket } from 'socket.io';
import { WebSocket, WebSocketServer, type ServerOptions } from 'ws';
import type { Frame } from './frame.js';

/** The engine's side of a client: one for its whole life, whatever transport it has. */
type Engine = Pick<Socket['conn'], 'request' | 'protocol' | 'transport' | 'readyState' | 'on'>;

/** A WebSocket and the connection that it writes to. */
interface Line {
  webSocket: WebSocket;
  connection: Duplex;
}

/**
 * Room events on a straight way to the WebSocket clients of Socket.IO: one encoded WebSocket frame for all clients, and
 * for each client one write per turn of the event loop, past the engine's own queue.
 *
 * Invariant: a client gets everything in the order in which it was handed over, whichever way it takes.
 * - A frame goes straight only while the engine holds nothing for the client and its transport is an open WebSocket of
 *   which the connection is known; else it goes the ordinary way (`take` answers false).
 * - What the engine gives to its transport is with the connection at once: with string packets, and without compression,
 *   `ws` writes in the same call. What it still holds is known by its events `packetCreate` and `flush`.
 * - Before the engine takes a packet, and before the client is closed, the frames of the turn are written.
 *
 * Not for connections with `perMessageDeflate`, whose frames wait for their compression.
 */
export class StraightPaths {
  /** For the option `wsEngine` of the Socket.IO server: tells us of every WebSocket and its connection. */
  readonly wsEngine: new (options: ServerOptions) => WebSocketServer;
  /** Of clients that began with a WebSocket, by their first request. */
  readonly #direct = new WeakMap<IncomingMessage, Line>();
  /** The engine's ids of clients, by their first requests. */
  readonly #ids = new WeakMap<IncomingMessage, string>();
  /** Of clients that began with polling, by the engine's id: the WebSockets that want to take over. */
  readonly #upgrading = new Map<string, Set<Line>>();
  readonly #waiting = new Set<StraightPath>();
  #begin = new Batch();

  constructor() {
    const add = (request: IncomingMessage, line: Line) => {
      this.#add(request, line);
    };
    this.wsEngine = class extends WebSocketServer {
      override handleUpgrade(
        request: IncomingMessage,
        connection: Duplex,
        head: Buffer,
        done: (webSocket: WebSocket, request: IncomingMessage) => void,
      ): void {
        super.handleUpgrade(request, connection, head, (webSocket) => {
          add(request, { webSocket, connection });
          done(webSocket, request);
        });
      }
    };
  }

  /** To be told of the id that a client gets with its first request. */
  named(request: IncomingMessage, id: string): void {
    this.#ids.set(request, id);
  }

  /** The straight way to a client. `onDrained`: called when the connection has taken all that was written. */
  to(engine: Engine, onDrained: () => void): StraightPath {
    return new StraightPath(engine, {
      begin: () => this.#begin,
      line: () => this.#lineOf(engine),
      wait: (path) => {
        if (this.#waiting.size === 0)
          setImmediate(() => {
            this.#endTurn();
          });
        this.#waiting.add(path);
      },
      onDrained,
    });
  }

  #add(request: IncomingMessage, line: Line): void {
    const id = new URL(request.url ?? '', 'http://localhost').searchParams.get('sid');
    if (id === null) {
      this.#direct.set(request, line);
      return;
    }
    const lines = this.#upgrading.get(id) ?? new Set();
    this.#upgrading.set(id, lines.add(line));
    line.webSocket.once('close', () => {
      lines.delete(line);
      if (lines.size === 0) this.#upgrading.delete(id);
    });
  }

  /** Undefined where it cannot be told: several WebSockets want to take over, and the engine has taken one of them. */
  #lineOf({ request }: Engine): Line | undefined {
    const direct = this.#direct.get(request);
    if (direct) return direct;
    const open = [...(this.#upgrading.get(this.#ids.get(request) ?? '') ?? [])].filter(isOpen);
    return open.length === 1 ? open[0] : undefined;
  }

  #endTurn(): void {
    this.#begin = new Batch();
    const paths = [...this.#waiting];
    this.#waiting.clear();
    for (const path of paths) path.flush();
  }
}

interface Turns {
  /** The empty batch of this turn. */
  begin: () => Batch;
  line: () => Line | undefined;
  /** Has the path flushed at the turn's end. */
  wait: (path: StraightPath) => void;
  onDrained: () => void;
}

/** The straight way to one client. */
export class StraightPath {
  #line: Line | undefined;
  /** The engine holds packets that its transport has not got; it may from before, and next tells so by a flush. */
  #engineHolds = true;
  /** What the client gets at the end of this turn. */
  #batch: Batch | undefined;
  /** Called when the connection has taken the batch. */
  #taken: (() => void)[] | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly turns: Turns,
  ) {
    engine.on('packetCreate', () => {
      this.flush();
      this.#engineHolds = true;
    });
    engine.on('flush', () => {
      this.#engineHolds = false;
    });
    if (engine.protocol !== 4) return;
    engine.on('upgrade', () => {
      this.#useLine();
    });
    if (engine.transport.name === 'websocket') this.#useLine();
  }

  /** Bytes that the connection has not taken yet. */
  get pendingBytes(): number {
    return (this.#line?.connection.writableLength ?? 0) + (this.#batch?.bytes ?? 0);
  }

  /**
   * Takes a frame, to write it by the end of this turn. False: it has to go the ordinary way. `taken`: called when the
   * connection has it.
   */
  take(frame: Frame, taken?: () => void): boolean {
    if (this.#batch === undefined) {
      const line = this.#line;
      if (!line || this.#engineHolds || this.engine.readyState !== 'open' || !isOpen(line)) return false;
      this.#batch = this.turns.begin();
      this.turns.wait(this);
    }
    this.#batch = this.#batch.with(frame);
    if (taken) (this.#taken ??= []).push(taken);
    return true;
  }

  /** Writes what the turn has had so far. To be called before the client is closed. */
  flush(): void {
    const batch = this.#batch;
    if (batch === undefined) return;
    const taken = this.#taken;
    this.#batch = this.#taken = undefined;
    if (this.#line && isOpen(this.#line))
      this.#line.connection.write(batch.encoded(), taken && callAll(taken));
    // Else the client has gone, and asks for what is behind its cursor when it comes back.
    if (!this.#line?.connection.writableNeedDrain) this.turns.onDrained();
  }

  #useLine(): void {
    this.#line = this.turns.line();
    this.#line?.connection.on('drain', this.turns.onDrained);
  }
}

const callAll = (functions: readonly (() => void)[]) => (error?: Error | null) => {
  if (!error) for (const each of functions) each();
};

const isOpen = ({ webSocket, connection }: Line) =>
  webSocket.readyState === WebSocket.OPEN && connection.writable;

/**
 * The frames that a client gets in one turn. Clients that get the same frames share one batch, which is made and encoded
 * once: a batch remembers the one that was made of it last.
 */
class Batch {
  #next: Batch | undefined;
  #encoded: Buffer | undefined;

  constructor(
    private readonly before?: Batch,
    private readonly frame?: Frame,
    readonly bytes = 0,
  ) {}

  /** This batch and one more frame. */
  with(frame: Frame): Batch {
    if (this.#next?.frame !== frame)
      this.#next = new Batch(this, frame, this.bytes + frame.webSocketFrame.length);
    return this.#next;
  }

  encoded(): Buffer {
    return (this.#encoded ??= this.#encode());
  }

  #encode(): Buffer {
    const frames = this.frame ? [this.frame.webSocketFrame] : [];
    for (let batch = this.before; batch?.frame; batch = batch.before) frames.push(batch.frame.webSocketFrame);
    const [only] = frames;
    return only && frames.length === 1 ? only : Buffer.concat(frames.reverse(), this.bytes);
  }
}
