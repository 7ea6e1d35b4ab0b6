import { createParser } from 'eventsource-parser';
import { io, type Socket } from 'socket.io-client';
import {
  fromDocumentSnapshot,
  fromSnapshot,
  reduceDocument,
  reduceRoom,
  textOf,
  type DocumentState,
  type RoomState,
} from '../../src/client/index.js';
import { noCursor, type Cursor } from '../../src/wire/cursor.js';
import {
  isTerminalEventType,
  type AnySnapshot,
  type DocumentSnapshot,
  type RoomEvent,
  type RoomEventOf,
  type TerminalEventType,
} from '../../src/wire/room-events.js';
import type { Room } from '../../src/wire/room.js';
import type { JoinAck } from '../../src/wire/socket-events.js';

/** Why a watcher was turned away. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    readonly status?: number,
  ) {
    super(`refused: ${code}`);
  }
}

export interface WatchOptions {
  /** Root of an api. */
  url: string;
  token: string;
  room: string;
}

type EventType = RoomEvent['type'];
export type TerminalEvent = RoomEventOf<TerminalEventType>;

const isOfDocument = (snapshot: AnySnapshot): snapshot is DocumentSnapshot => 'document' in snapshot;

const isTerminal = (event: RoomEvent): event is TerminalEvent => isTerminalEventType(event.type);

/**
 * Watches one room, records every event in the order of its coming, and holds what these make of the room. A socket's
 * snapshot, which comes with the ack of its join, is recorded as an event like that of a stream.
 */
export abstract class RoomClient {
  /** All events since the first connection. */
  readonly events: RoomEvent[] = [];
  /** What this client holds of the room, if that is a conversation's or a person's. */
  state: RoomState | undefined;
  /** What this client holds of the document whose room it is. */
  document: DocumentState | undefined;
  #waiters = new Set<() => void>();
  readonly #written = new Map<string, string>();

  constructor(protected readonly options: WatchOptions) {}

  /** Connects and joins: behind `after`, else behind what was last seen. @throws Refused */
  abstract connect(after?: Cursor): Promise<void>;
  /** Loses the connection; what was under way is lost. */
  abstract drop(): void;

  /** The last logged event that this client has seen. */
  get cursor(): Cursor | undefined {
    return (this.document ?? this.state)?.cursor;
  }

  /** The first event, recorded or to come, that matches. */
  waitFor<T extends EventType>(
    type: T,
    matches: (event: RoomEventOf<T>) => boolean = () => true,
  ): Promise<RoomEventOf<T>> {
    const isIt = (event: RoomEvent): boolean => event.type === type && matches(event as RoomEventOf<T>);
    return this.until(() => this.events.find(isIt) as RoomEventOf<T> | undefined);
  }

  /** The event with which the generation ends. */
  ended(generationId: string): Promise<TerminalEvent> {
    return this.until(() =>
      this.events.filter(isTerminal).find((event) => event.generationId === generationId),
    );
  }

  /** Looks again after every event, until there is an answer. */
  until<T>(look: () => T | undefined | false): Promise<T> {
    return new Promise((resolve, reject) => {
      const again = () => {
        try {
          const found = look();
          if (found === undefined || found === false) return;
          resolve(found);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
        this.#waiters.delete(again);
      };
      this.#waiters.add(again);
      again();
    });
  }

  /** Events of one type. */
  of<T extends EventType>(type: T): RoomEventOf<T>[] {
    return this.events.filter((event) => event.type === type) as RoomEventOf<T>[];
  }

  /** The logged events: those that every client of the room gets, in one order. */
  get logged(): RoomEvent[] {
    return this.events.filter(({ type, cursor }) => cursor !== undefined && type !== 'snapshot');
  }

  /** What the deltas have written of a generation, not what its last event says. */
  written(generationId: string): string {
    const live = this.state?.generations.find(({ id }) => id === generationId);
    if (live) return textOf([...live.content]);
    const message = this.state?.messages.find((held) => held.generationId === generationId);
    return this.#written.get(generationId) ?? message?.text ?? '';
  }

  protected receive(event: RoomEvent): void {
    if (isTerminal(event)) {
      const live = this.state?.generations.find(({ id }) => id === event.generationId);
      if (live) this.#written.set(event.generationId, textOf([...live.content]));
    }
    this.events.push(event);
    if (event.type !== 'snapshot') {
      if (this.state) this.state = reduceRoom(this.state, event);
      if (this.document) this.document = reduceDocument(this.document, event);
    } else if (isOfDocument(event.snapshot)) {
      this.document = fromDocumentSnapshot(event.snapshot, event.cursor);
    } else {
      this.state = fromSnapshot(event.snapshot, event.cursor);
    }
    this.wake();
  }

  protected wake(): void {
    for (const waiter of [...this.#waiters]) waiter();
  }
}

export class SocketClient extends RoomClient {
  /** The server's answer to the last join. */
  ack: Extract<JoinAck, { ok: true }> | undefined;
  /** Events that came before the ack of their join: there must be none. */
  readonly early: RoomEvent[] = [];
  #socket: Socket | undefined;

  constructor(
    options: WatchOptions,
    private readonly transports: ('websocket' | 'polling')[] = ['websocket'],
  ) {
    super(options);
  }

  async connect(after = this.cursor): Promise<void> {
    const { url, token, room } = this.options;
    this.drop();
    const socket = io(url, {
      forceNew: true,
      reconnection: false,
      transports: this.transports,
      auth: { token },
    });
    this.#socket = socket;
    let joined = false;
    socket.onAny((_type: string, event: RoomEvent) => {
      if (socket !== this.#socket) return;
      if (joined) this.receive(event);
      else this.early.push(event);
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect_error', (error: Error & { data?: { code?: string } }) => {
        reject(new Refused(error.data?.code ?? error.message));
      });
      socket.once('disconnect', (reason) => {
        reject(new Error(`the socket was closed: ${reason}`));
        this.wake();
      });
      socket.once('connect', () => {
        socket.emit('join', after === undefined ? { room } : { room, after }, (ack: JoinAck) => {
          if (socket !== this.#socket) return;
          if (!ack.ok) {
            reject(new Refused(ack.error.code));
            return;
          }
          joined = true;
          this.ack = ack;
          const { cursor, snapshot } = ack;
          if (snapshot) {
            const at = new Date().toISOString();
            this.receive({ type: 'snapshot', room: this.options.room as Room, cursor, at, snapshot });
          }
          resolve();
        });
      });
    });
  }

  get connected(): boolean {
    return this.#socket?.connected ?? false;
  }

  drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    // Without the packet of a client that says goodbye.
    socket?.io.engine.close();
    socket?.disconnect();
  }
}

export interface SseFrame {
  event: string | undefined;
  id: string | undefined;
  data: string;
}

export class SseClient extends RoomClient {
  /** The last response's. */
  status = 0;
  headers = new Headers();
  /** Events as they stood on the wire. */
  readonly frames: SseFrame[] = [];
  readonly comments: string[] = [];
  /** The server has ended the stream, or the connection broke. */
  closed = true;
  #abort: AbortController | undefined;

  constructor(
    options: WatchOptions,
    private readonly path = `/v1/conversations/${options.room.replace(/^conversation:/, '')}/events`,
    private readonly init: RequestInit = {},
  ) {
    super(options);
  }

  async connect(after = this.lastEventId): Promise<void> {
    const { url, token } = this.options;
    this.drop();
    const abort = new AbortController();
    this.#abort = abort;
    const response = await fetch(url + this.path, {
      ...this.init,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'text/event-stream',
        ...(after !== undefined && { 'last-event-id': after }),
        ...(this.init.headers as Record<string, string> | undefined),
      },
      signal: abort.signal,
    });
    this.status = response.status;
    this.headers = response.headers;
    if (!response.ok) {
      const { code } = (await response.json()) as { code: string };
      throw new Refused(code, response.status);
    }
    this.closed = response.status === 204;
    if (response.body) void this.#read(response.body, abort);
    // Without a cursor the stream begins with the snapshot; with one it may begin with nothing.
    if (after === undefined || after === noCursor) await this.waitFor('snapshot');
  }

  /** The id of the last event that had one. */
  get lastEventId(): string | undefined {
    return this.frames.findLast(({ id }) => id !== undefined)?.id;
  }

  /** Resolves when the stream has been closed. */
  async end(): Promise<void> {
    await this.until(() => this.closed);
  }

  drop(): void {
    this.#abort?.abort();
    this.#abort = undefined;
    this.closed = true;
  }

  async #read(body: ReadableStream<Uint8Array>, abort: AbortController): Promise<void> {
    const parser = createParser({
      onEvent: ({ event, id, data }) => {
        if (abort !== this.#abort) return;
        this.frames.push({ event, id, data });
        this.receive(JSON.parse(data) as RoomEvent);
      },
      onComment: (comment) => {
        this.comments.push(comment);
        this.wake();
      },
    });
    const decoder = new TextDecoder();
    try {
      for await (const bytes of body) parser.feed(decoder.decode(bytes, { stream: true }));
    } catch {
      // Dropped by the test, or by the server's end: both close it.
    }
    if (abort !== this.#abort) return;
    this.closed = true;
    this.wake();
  }
}
