import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Socket } from 'socket.io';
import { WebSocket, WebSocketServer, type ServerOptions } from 'ws';
import type { RoomListener } from '../redis/room-feed.js';
import type { LogEntry } from '../redis/room-log.js';
import type { Cursor } from '../wire/cursor.js';
import type { Room } from '../wire/room.js';
import { Frame } from './frame.js';
import type { GatewayMetrics } from './gateway-metrics.js';
import type { GroupMember, Membership } from './room-watcher.js';
import { questionsRights } from './watch-right.js';

/** The engine's side of a client: one for its whole life, whatever transport it has. */
type Engine = Pick<Socket['conn'], 'request' | 'protocol' | 'transport' | 'readyState' | 'on' | 'off'>;

/** A WebSocket and the connection that it writes to. */
interface Line {
  webSocket: WebSocket;
  connection: Duplex;
}

/** What holds frames back until the turn of the event loop ends. */
interface Turn {
  flush(): void;
}

/**
 * Room events on a straight way to the WebSocket clients of Socket.IO: one encoded WebSocket frame for all clients, and
 * for each client one write per room and turn of the event loop, past the engine's own queue.
 *
 * Invariant: a client gets everything of a room, and all that is its own, in the order in which it was handed over,
 * whichever way it takes.
 * - A frame goes straight only while the engine holds nothing for the client and its transport is an open WebSocket of
 *   which the connection is known; else it goes the ordinary way (`take` answers false, `group` has none for it).
 * - What the engine gives to its transport is with the connection at once: with string packets, and without compression,
 *   `ws` writes in the same call. What it still holds is known by its events `packetCreate` and `flush`.
 * - Before the engine takes a packet, before the client leaves a room or is closed, the frames of the turn are written.
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
  readonly #waiting = new Set<Turn>();
  readonly #rooms = new Map<Room, StraightRoom>();

  constructor(private readonly metrics?: GatewayMetrics) {
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
      line: () => this.#lineOf(engine),
      wait: (turn) => {
        this.#wait(turn);
      },
      onDrained,
    });
  }

  /**
   * Has a client, whose last entry of the room is that at `cursor`, written to together with the others that are there.
   * Undefined: it has to be written to alone for now.
   */
  join(room: Room, path: StraightPath, cursor: Cursor, member: GroupMember): Membership | undefined {
    const { connection } = path;
    if (!connection) return undefined;
    const group = this.#rooms.get(room) ?? this.#open(room, cursor);
    const membership = group.add({ path, connection, member }, cursor);
    // It may have lost its last member for a moment.
    if (membership) this.#rooms.set(room, group);
    return membership;
  }

  #open(room: Room, cursor: Cursor): StraightRoom {
    const group = new StraightRoom(cursor, {
      wait: (turn) => {
        this.#wait(turn);
      },
      onEmpty: () => {
        if (this.#rooms.get(room) === group) this.#rooms.delete(room);
      },
      metrics: this.metrics,
    });
    this.#rooms.set(room, group);
    return group;
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
    const open = [...(this.#upgrading.get(this.#ids.get(request) ?? '') ?? [])].filter(
      ({ webSocket }) => webSocket.readyState === WebSocket.OPEN,
    );
    return open.length === 1 ? open[0] : undefined;
  }

  #wait(turn: Turn): void {
    if (this.#waiting.size === 0)
      setImmediate(() => {
        const turns = [...this.#waiting];
        this.#waiting.clear();
        for (const each of turns) each.flush();
      });
    this.#waiting.add(turn);
  }
}

interface PathOptions {
  line: () => Line | undefined;
  /** Has the path flushed at the turn's end. */
  wait: (path: StraightPath) => void;
  onDrained: () => void;
}

/** The straight way to one client. */
export class StraightPath implements Turn {
  /** Where the client is written to together with others. */
  readonly rooms = new Map<StraightRoom, Member>();
  #line: Line | undefined;
  /** The engine holds packets that its transport has not got; it may from before, and next tells so by a flush. */
  #engineHolds = true;
  /** Holds back what is written until the turn ends. */
  #corked: Duplex | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly options: PathOptions,
  ) {
    engine.on('packetCreate', this.#onPacket);
    engine.on('flush', this.#onFlush);
    if (engine.protocol !== 4) return;
    engine.on('upgrade', this.#useLine);
    if (engine.transport.name === 'websocket') this.#useLine();
  }

  /** Where frames may be written now; undefined where they may not. */
  get connection(): Duplex | undefined {
    const line = this.#line;
    if (!line || this.#engineHolds || this.engine.readyState !== 'open') return undefined;
    return line.webSocket.readyState === WebSocket.OPEN && line.connection.writable
      ? line.connection
      : undefined;
  }

  /** Bytes that the connection has not taken yet. */
  get pendingBytes(): number {
    return this.#line?.connection.writableLength ?? 0;
  }

  /**
   * Takes a frame, to write it by the end of this turn. False: it has to go the ordinary way. `taken`: called when the
   * connection has it.
   */
  take(frame: Frame, taken?: () => void): boolean {
    const { connection } = this;
    if (!connection) return false;
    if (!this.#corked) {
      connection.cork();
      this.#corked = connection;
      this.options.wait(this);
    }
    connection.write(frame.webSocketFrame, (error) => {
      if (!error) taken?.();
    });
    return true;
  }

  /** Writes what the turn has had so far. To be called before the client is closed. */
  flush(): void {
    for (const room of this.rooms.keys()) room.flush();
    this.#corked?.uncork();
    this.#corked = undefined;
  }

  /** Hears of the engine no more; the client may come again over the same one. */
  close(): void {
    this.flush();
    this.engine.off('packetCreate', this.#onPacket);
    this.engine.off('flush', this.#onFlush);
    this.engine.off('upgrade', this.#useLine);
    this.#line?.connection.off('drain', this.options.onDrained);
    this.#line = undefined;
  }

  readonly #onPacket = (): void => {
    this.flush();
    for (const [room, member] of this.rooms) room.dismiss(member);
    this.#engineHolds = true;
  };

  readonly #onFlush = (): void => {
    this.#engineHolds = false;
  };

  readonly #useLine = (): void => {
    this.#line = this.options.line();
    this.#line?.connection.on('drain', this.options.onDrained);
  };
}

interface Member {
  path: StraightPath;
  connection: Duplex;
  member: GroupMember;
}

interface RoomOptions {
  /** Has the room flushed at the turn's end. */
  wait: (room: StraightRoom) => void;
  onEmpty: () => void;
  metrics: GatewayMetrics | undefined;
}

/**
 * The clients of a room that are live and may be written to straight. What is done for each of them is a write, and no
 * more: to fetch what belongs to a client from memory costs more than what is done with it.
 *
 * Invariants:
 * - Every member has got the entries up to `cursor`, those of this turn being written before it leaves.
 * - Whoever may no longer be written to straight, or has to be looked at alone, leaves before the next entry.
 */
class StraightRoom implements RoomListener, Turn {
  readonly #members = new Map<Duplex, Member>();
  /** What the members get at the end of this turn. */
  #frames: Frame[] = [];
  #cursor: Cursor;

  constructor(
    cursor: Cursor,
    private readonly options: RoomOptions,
  ) {
    this.#cursor = cursor;
  }

  /** The newest entry that the members have got. */
  get cursor(): Cursor {
    return this.#cursor;
  }

  /** Undefined for a client that is elsewhere in the log. */
  add(member: Member, cursor: Cursor): Membership | undefined {
    if (cursor !== this.#cursor || this.#members.has(member.connection)) return undefined;
    // What waits has been before.
    this.flush();
    this.#members.set(member.connection, member);
    member.path.rooms.set(this, member);
    return {
      listener: this,
      cursor: () => this.#cursor,
      leave: () => {
        this.flush();
        this.#remove(member);
      },
    };
  }

  /** Lets a client go on alone. */
  dismiss(member: Member): void {
    this.flush();
    this.#remove(member);
    member.member.goOnAlone(this.#cursor);
  }

  entry(entry: LogEntry): void {
    // The first member has had it before it came here.
    if (entry.cursor === this.#cursor) return;
    if (questionsRights(entry.type)) {
      this.reset();
      return;
    }
    this.#cursor = entry.cursor;
    this.#take(Frame.of(entry));
  }

  unlogged(event: Omit<LogEntry, 'cursor'>): void {
    this.#take(Frame.of(event));
  }

  reset(): void {
    for (const member of this.#members.values()) this.dismiss(member);
  }

  flush(): void {
    const frames = this.#frames;
    const newest = frames.at(-1);
    if (!newest) return;
    this.#frames = [];
    const bytes =
      frames.length === 1
        ? newest.webSocketFrame
        : Buffer.concat(frames.map(({ webSocketFrame }) => webSocketFrame));
    const { metrics } = this.options;
    let taken = metrics?.timed('socket', newest);
    metrics?.sent('socket', bytes.length * this.#members.size, frames.length * this.#members.size);
    const full: Member[] = [];
    this.#members.forEach((member, connection) => {
      // Who has gone asks for what is behind its cursor when it comes back.
      if (connection.writable && !connection.write(bytes, taken)) full.push(member);
      taken = undefined;
    });
    for (const member of full) if (member.member.congested) this.dismiss(member);
  }

  #take(frame: Frame): void {
    if (this.#frames.push(frame) === 1) this.options.wait(this);
  }

  #remove(member: Member): void {
    member.path.rooms.delete(this);
    this.#members.delete(member.connection);
    if (this.#members.size === 0) this.options.onEmpty();
  }
}
